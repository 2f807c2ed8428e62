// The try-it panel: ready-made ICCIDs, numbers and codes of the demo's world.

import { compose } from "./composer.js";
import { fill, h, starred } from "./dom.js";
import { lang, t } from "./i18n.js";
import { emit, on, state } from "./state.js";

const panel = document.getElementById("panel-try");

const word = (item, name) => item[`${name}_${lang()}`] ?? item[`${name}_en`] ?? "";

function card(item) {
  return h(
    "li",
    {},
    h(
      "button",
      {
        class: "sample",
        "data-testid": `try-${item.value}`,
        onclick: () => {
          emit("close-drawer");
          compose(item.value);
        },
      },
      h("strong", {}, starred(word(item, "title"))),
      h("code", {}, item.value),
      word(item, "note") && h("small", {}, word(item, "note")),
    ),
  );
}

function render() {
  const items = state.world?.try ?? [];
  fill(
    panel,
    h("p", { class: "quiet" }, t(items.length ? "try_help" : "try_none")),
    h("ul", { class: "samples" }, items.map(card)),
  );
}

on("world", render);
on("lang", render);
render();
