-- A shop as the first release left it, in SQL so that later code cannot help.
-- {Z}: the zone of a time, nothing on SQLite.
INSERT INTO chats (id, kind, language, language_chosen, zone, zone_confirmed, hour, quiet_start, quiet_end, urgent_override, offsets, "on", digest, first_name, username, wrong_claims, created_at)
VALUES (1001, 'private', 'zh_Hans', true, 'Asia/Shanghai', true, 20, '22:00:00.000000', '08:00:00.000000', false, '[7,1]', true, false, 'Alice', 'alice', 2, '2026-11-20 12:00:00.000000{Z}');
INSERT INTO sims (id, version, owner_id, tracking, form, carrier, supplier, expiry, grace_end, dates_source, rule, reading, read_at, reminders_stopped, next_reminder_at, created_at)
VALUES ('sim-a', 4, 1001, 'self', 'card', 'Smart', 'manual', '2026-11-30 12:00:00.000000{Z}', '2027-02-28 12:00:00.000000{Z}', 'customer', '{"validity_days":30,"grace_days":90}', '{"source":"supplier","as_of":"2026-11-20T11:55:00Z","taken_at":"2026-11-20T12:00:00Z","state":"active","expiry":"2026-12-20T12:00:00Z","grace_end":null,"data_total":8589934592,"data_used":2147483648,"minutes_left":null,"sms_left":null,"money_left":{"minor":125,"currency":"USD"},"topups_left":null}', '2026-11-20 12:00:00.000000{Z}', false, '2026-11-20 12:01:00.000000{Z}', '2026-11-20 12:00:00.000000{Z}');
INSERT INTO plans (code, version, carrier, active, position, plan)
VALUES ('boom-30d-5gb', 3, 'boom eSIM', true, 0, '{"code":"boom-30d-5gb","version":1,"carrier":"boom eSIM","supplier":"esim_access","supplier_code":"TOPUP_5","name":{"en":"5 GB, 30 days","zh_Hans":"5 GB 30 天"},"days":30,"price":{"minor":1290,"currency":"USD"},"open_amount":null,"data":5368709120,"unlimited":false,"minutes":null,"sms":null,"region":null,"speed_after":null,"roaming":["US","CA"],"devices":null,"extras":{"en":"5G"},"max_cost":{"minor":800,"currency":"USD"},"active":true}');
INSERT INTO quotes (id, version, update_id, chat_id, sim_id, plan, price_minor, price_currency, rate, stars_minor, stars_currency, created_at, expires_at)
VALUES ('q1', 1, 700, 1001, 'sim-a', '{"code":"boom-30d-5gb","version":1,"carrier":"boom eSIM","supplier":"esim_access","supplier_code":"TOPUP_5","name":{"en":"5 GB, 30 days","zh_Hans":"5 GB 30 天"},"days":30,"price":{"minor":1290,"currency":"USD"},"open_amount":null,"data":5368709120,"unlimited":false,"minutes":null,"sms":null,"region":null,"speed_after":null,"roaming":["US","CA"],"devices":null,"extras":{"en":"5G"},"max_cost":{"minor":800,"currency":"USD"},"active":true}', 1290, 'USD', '{"currency":"USD","per_unit":"76.92"}', 993, 'XTR', '2026-11-20 12:00:00.000000{Z}', '2026-11-20 12:15:00.000000{Z}');
INSERT INTO orders (id, version, state, quote_id, chat_id, sim_id, plan, price_minor, price_currency, expires_at, created_at, charge_minor, charge_currency, method)
VALUES ('o1', 3, 'paid', 'q1', 1001, 'sim-a', '{"code":"boom-30d-5gb","version":1,"carrier":"boom eSIM","supplier":"esim_access","supplier_code":"TOPUP_5","name":{"en":"5 GB, 30 days","zh_Hans":"5 GB 30 天"},"days":30,"price":{"minor":1290,"currency":"USD"},"open_amount":null,"data":5368709120,"unlimited":false,"minutes":null,"sms":null,"region":null,"speed_after":null,"roaming":["US","CA"],"devices":null,"extras":{"en":"5G"},"max_cost":{"minor":800,"currency":"USD"},"active":true}', 1290, 'USD', '2026-11-20 12:15:00.000000{Z}', '2026-11-20 12:00:00.000000{Z}', 993, 'XTR', 'stars');
INSERT INTO payments (id, order_id, chat_id, method, state, amount_minor, amount_currency, created_at, charge_id, captured_at, captured_minor, captured_currency, payer_id)
VALUES ('p1', 'o1', 1001, 'stars', 'captured', 993, 'XTR', '2026-11-20 12:00:00.000000{Z}', 'ch1', '2026-11-20 12:01:00.000000{Z}', 993, 'XTR', 1001);
INSERT INTO topups (id, order_id, sim_id, supplier, supplier_code, state, created_at, max_cost_minor, max_cost_currency, "before", tries, next_at)
VALUES ('t1', 'o1', 'sim-a', 'esim_access', 'TOPUP_5', 'saved', '2026-11-20 12:00:00.000000{Z}', 800, 'USD', '{"source":"supplier","as_of":"2026-11-20T11:55:00Z","taken_at":"2026-11-20T12:00:00Z","state":"active","expiry":"2026-12-20T12:00:00Z","grace_end":null,"data_total":8589934592,"data_used":2147483648,"minutes_left":null,"sms_left":null,"money_left":{"minor":125,"currency":"USD"},"topups_left":null}', 0, '2026-11-20 12:00:00.000000{Z}');
INSERT INTO reminders (sim_id, cycle, stage, sent, at)
VALUES ('sim-a', '2026-11-30', 'expiry-7', true, '2026-11-20 12:00:00.000000{Z}');
INSERT INTO inbox (update_id, lane, payload, received_at)
VALUES (701, 'chat:1001', '{"update_id":701}', '2026-11-20 12:00:00.000000{Z}');
INSERT INTO outbox (kind, chat_id, dedupe_key, priority, data, not_before, state, tries)
VALUES ('order', 1001, 'order:o1:paid', 20, '{"order":"o1"}', '1970-01-01 00:00:00.000000{Z}', 'queued', 0);
INSERT INTO conversations (name, key, state)
VALUES ('renew', '1001,1001', 4);
INSERT INTO drafts (user_id, draft)
VALUES (1001, '{"sim":"sim-a"}');
