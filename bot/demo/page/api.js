// The people interface, one function per address.

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, options);
  const text = await response.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = { error: text.slice(0, 200) };
  }
  if (!response.ok) {
    const error = new Error(data?.error ?? data?.description ?? data?.detail ?? `${response.status}`);
    error.status = response.status;
    throw error;
  }
  return data;
}

const get = (path) => call("GET", path);
const post = (path, body) => call("POST", path, body);
const chatPath = (person, chat) => `/people/${person}/chats/${chat}`;

export const people = () => get("/people");
export const chats = (person) => get(`/people/${person}/chats`);
export const messages = (person, chat) => get(`${chatPath(person, chat)}/messages`);
export const commands = (person, chat) => get(`${chatPath(person, chat)}/commands`);
export const sendText = (person, chat, text, message_thread_id) =>
  post(`${chatPath(person, chat)}/messages`, { text, message_thread_id });
/** What an administrator changes in a room: "bot", "member", "topics", "upgrade". */
export const act = (person, chat, name, body) => post(`${chatPath(person, chat)}/${name}`, body);
export const press = (person, chat, message_id, text) => post(`${chatPath(person, chat)}/press`, { message_id, text });
export const start = (person, chat, payload) => post(`${chatPath(person, chat)}/start`, { payload });
export const pay = (person, chat, body) => post(`${chatPath(person, chat)}/pay`, body);
export const invoiceBehind = (person, link) => get(`/people/${person}/invoice?link=${encodeURIComponent(link)}`);
export const changeSubscription = (person, id, cancelled) => post(`/people/${person}/subscriptions`, { id, cancelled });
export const edit = (person, chat, message_id, text) => post(`${chatPath(person, chat)}/edit`, { message_id, text });
export const block = (person, on) => post(`/people/${person}/block`, { on });
export const clock = () => get("/clock");
export const advance = (advance_seconds) => post("/clock", { advance_seconds });
export const calls = (after) => get(`/calls?after=${after}`);
export const faults = () => get("/faults");
export const setFault = (name, on) => post("/faults", { name, on });

/** `kind` is "photo" or "document". */
export function sendFile(person, chat, kind, file, caption, message_thread_id) {
  const form = new FormData();
  form.append(kind, file, file.name);
  if (caption) form.append("caption", caption);
  if (message_thread_id) form.append("message_thread_id", message_thread_id);
  return call("POST", `${chatPath(person, chat)}/messages`, form);
}

/** What the host says of its world; null where the stand-in runs alone. */
export async function world() {
  try {
    return await get("/world");
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}
