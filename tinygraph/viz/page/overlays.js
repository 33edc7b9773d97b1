// Overlays: cards coloured by the size of their gradient, or by the memory they keep.

const DEEP = 0.75; // from here on the colour is so strong that text is written in the other one

function showOverlay(name) {
  state.overlay = name;
  $("overlay").value = name;
  colourCards();
  showLegend();
}

function colourCards() {
  const overlay = state.graph.overlays[state.overlay];
  document.body.classList.toggle("coloured", Boolean(overlay));
  for (const { id, node, w } of scene.cards.values()) {
    node.querySelector(".amount")?.remove();
    const found = overlay?.cards[id];
    node.classList.toggle("measured", Boolean(found));
    node.classList.toggle("deep", Boolean(found) && found.level > DEEP);
    node.style.setProperty("--level", found ? found.level : 0);
    if (found?.text) node.append(amount(found, w));
  }
}

// A small plate on the card's upper border with the number.
function amount({ text, word }, w) {
  const label = word ? `${text} · ${word}` : text;
  const wide = label.length * 5.2 + 10;
  const node = draw("g", { class: `amount ${word ? "alarming" : ""}`, transform: `translate(${w - wide + 5} -12)` },
    draw("rect", { width: wide, height: 14, rx: 7 }),
    write("amount-text", wide / 2, 10.5, label, wide - 6, "middle"));
  requestAnimationFrame(() => node.isConnected && node.querySelector("text").squeeze());
  return node;
}

function showLegend() {
  const overlay = state.graph.overlays[state.overlay];
  const legend = $("legend");
  legend.hidden = $("legend-words").hidden = !overlay;
  if (!overlay) return;
  const bar = make("div", { class: "ramp" });
  const ticks = make("div", { class: "ticks" }, ...overlay.ticks.map(([text, level]) => {
    const tick = make("span", {}, text);
    tick.style.setProperty("--level", level);
    return tick;
  }));
  const heading = { gradient: "Gradient size", memory: "Memory kept for backward" }[state.overlay];
  fill(legend, make("h2", {}, heading), bar, ticks);
  fill($("legend-words"), ...overlay.words.map((text) => make("p", {}, text)), alarms(overlay));
}

// In words: which gradients vanish, explode, or are zero.
function alarms(overlay) {
  const found = new Map();
  for (const id of scene.cards.keys()) {
    const word = overlay.cards[id]?.word;
    if (word) found.set(word, [...(found.get(word) ?? []), id]);
  }
  const rows = [...found].map(([word, ids]) => make("li", {}, make("strong", {}, word), ": ",
    ...ids.slice(0, 4).map((id) => make("button", { type: "button", class: "chip", onclick: () => pin(id, true) },
      state.graph.cards[id].header)), ids.length > 4 ? `and ${ids.length - 4} more` : null));
  return rows.length ? make("ul", {}, ...rows) : null;
}
