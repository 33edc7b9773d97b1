// Search: every card of every view, by name, op, formula or module.

const SEARCHED = ["op", "what it is", "formula", "module", "made by the line"];
const search = { hits: [], active: 0 };

function wordsOf(card) {
  const names = card.exits.map((tensor) => state.graph.tensors[tensor].full);
  const told = card.about.filter(([label]) => SEARCHED.includes(label)).map(([, text]) => text);
  return [card.header, ...names, ...told].join("\n").toLowerCase();
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const rank = (id) => {
    const header = state.graph.cards[id].header.toLowerCase();
    const place = header.indexOf(wanted);
    return (state.view.cards.includes(id) ? 0 : 1) + (place === 0 ? 0 : place > 0 ? 2 : 4);
  };
  return Object.keys(state.graph.cards)
    .filter((id) => wordsOf(state.graph.cards[id]).includes(wanted))
    .sort((a, b) => rank(a) - rank(b)).slice(0, 8);
}

function showHits() {
  search.hits = find($("search").value);
  search.active = 0;
  const list = $("hits");
  const asked = $("search").value.trim() !== "";
  list.hidden = !asked;
  $("search").setAttribute("aria-expanded", String(asked));
  const rows = search.hits.map((id, i) => {
    const card = state.graph.cards[id];
    const where = card.about.find(([label]) => label === "module");
    return make("li", { role: "option", id: `hit-${i}`, onclick: () => goToHit(i) },
      make("span", { class: "strong" }, card.header),
      make("span", { class: "quiet" }, [card.note, where ? `in ${where[1]}` : ""].filter(Boolean).join(" · ")));
  });
  if (asked && !rows.length) rows.push(make("li", { class: "quiet" }, "No card has these words."));
  list.replaceChildren(...rows);
  markHit();
}

function markHit() {
  [...$("hits").children].forEach((row, i) => row.setAttribute("aria-selected", String(i === search.active)));
  $("search").setAttribute("aria-activedescendant", search.hits.length ? `hit-${search.active}` : "");
}

function goToHit(i) {
  const id = search.hits[i];
  if (id === undefined) return;
  endSearch();
  if (!state.view.cards.includes(id)) {
    const goal = nearest(new Set(state.view.open), (view) => view.cards.includes(id));
    const home = goal.homes[goal.cards.indexOf(id)];
    changeView(goal, home ?? goal.open[0] ?? 0);
  }
  pin(id, true);
  focusCard(id);
}

function endSearch() {
  $("search").value = "";
  showHits();
}

function searchKey(event) {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move && search.hits.length) {
    search.active = (search.active + move + search.hits.length) % search.hits.length;
    markHit();
  } else if (event.key === "Enter") goToHit(search.active);
  else if (event.key === "Escape") {
    endSearch();
    $("stage").querySelector('[tabindex="0"]')?.focus();
  } else return;
  event.preventDefault();
}
