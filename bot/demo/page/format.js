// Times, money, sizes and names as the page shows them. Times are the demo's clock, in UTC.

import { locale, t, lang } from "./i18n.js";

const date = (unix) => new Date(unix * 1000);

/** "09:05" in UTC, of Unix seconds. */
export const time = (unix) => date(unix).toISOString().slice(11, 16);

/** "2026-03-01 09:05:07 UTC", of Unix seconds. */
export const stamp = (unix) => `${date(unix).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export const dayKey = (unix) => date(unix).toISOString().slice(0, 10);

/** The heading of a day of messages, seen from `now` (Unix seconds). */
export function dayName(unix, now) {
  if (dayKey(unix) === dayKey(now)) return t("today");
  if (dayKey(unix) === dayKey(now - 86400)) return t("yesterday");
  const options = { day: "numeric", month: "long", timeZone: "UTC" };
  if (date(unix).getUTCFullYear() !== date(now).getUTCFullYear()) options.year = "numeric";
  return new Intl.DateTimeFormat(locale(), options).format(date(unix));
}

/** Time today, else a short date: for lists. */
export function shortWhen(unix, now) {
  if (dayKey(unix) === dayKey(now)) return time(unix);
  const options = { day: "numeric", month: lang() === "zh" ? "numeric" : "short", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale(), options).format(date(unix));
}

export const longDay = (unix) =>
  new Intl.DateTimeFormat(locale(), {
    weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
  }).format(date(unix));

/** An amount in minor units: XTR as stars (no decimals), other currencies by their own decimals. */
export function money(amount, currency) {
  if (currency === "XTR") return `⭐ ${new Intl.NumberFormat(locale()).format(amount)}`;
  const format = new Intl.NumberFormat(locale(), { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** "8 d 1 h" of seconds. */
export function span(seconds) {
  const parts = [
    ["span_day", Math.floor(seconds / 86400)],
    ["span_hour", Math.floor((seconds % 86400) / 3600)],
    ["span_minute", Math.floor((seconds % 3600) / 60)],
  ].filter(([, n]) => n > 0);
  return parts.slice(0, 2).map(([key, n]) => t(key, { n })).join(" ");
}

export function bytes(size) {
  if (size === undefined) return "";
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}

/** One Chinese character or up to two Latin initials. */
export function initials(name) {
  const han = name.match(/\p{Script=Han}/u);
  if (han) return han[0];
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.slice(0, 2).map((word) => [...word][0].toUpperCase());
  return letters.join("") || "·";
}

const HUES = [172, 214, 262, 318, 18, 42, 130];

/** The hue (0-360) that stands for a person or chat everywhere on the page. */
export const hue = (id) => HUES[Math.abs(Number(id)) % HUES.length];

/** A URL, or null for what is none. */
export function parseUrl(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** First and last name of a Bot API User or title of a Chat. */
export const nameOf = (who) =>
  who?.title ?? ([who?.first_name, who?.last_name].filter(Boolean).join(" ") || who?.name || "");
