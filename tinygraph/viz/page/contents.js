// Arrays: as a number, a small table, a heat map, or what remains of many numbers.

function digits(short, exact) {
  return state.exact ? exact : short;
}

function signOf(level) {
  return level === null ? "invalid" : level < 0 ? "negative" : "positive";
}

// In the panel: an element with every number we have.
function shown(content, label) {
  if (content.kind === "empty") return make("span", { class: "quiet" }, content.text);
  if (content.kind === "number") {
    return make("span", { class: "figure", title: content.exact },
      digits(content.text, content.exact));
  }
  if (content.kind === "table") return table(content, label);
  const facts = make("dl", { class: "facts" });
  for (const [name, text, exact] of content.facts) {
    facts.append(make("dt", {}, name), make("dd", { title: exact }, digits(text, exact)));
  }
  if (content.kind === "sketch") return facts;
  return make("div", { class: "with-map" }, heatMap(content, label), facts);
}

function table(content, label) {
  const rows = content.rows.map((row, i) => make("tr", {}, ...row.map((text, j) => {
    const level = content.levels[i][j];
    const exact = content.exact[i][j];
    const cell = make("td", { class: signOf(level), title: exact },
      digits(text, exact));
    cell.style.setProperty("--level", Math.abs(level ?? 0.5));
    return cell;
  })));
  return make("table", { class: "numbers", "aria-label": label }, make("tbody", {}, ...rows));
}

function heatMap(content, label) {
  const [height, width] = content.size;
  const side = Math.max(4, Math.min(14, Math.floor(190 / Math.max(width, height))));
  const bytes = atob(content.levels);
  const at = content.at ? ` ${content.at}` : "";
  const told = content.facts.map(([name, text]) => `${name} ${text}`).join(", ");
  const map = draw("svg", {
    class: "heat", role: "img", width: width * side, height: height * side,
    viewBox: `0 0 ${width} ${height}`,
    "aria-label": `${label}${at}: heat map, ${height} rows, ${width} columns; ${told}`,
  });
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    const level = byte === 0 ? null : (byte - 128) / 127;
    map.append(draw("rect", {
      class: signOf(level), x: i % width, y: Math.floor(i / width), width: 1.02, height: 1.02,
      "fill-opacity": level === null ? 1 : Math.abs(level).toFixed(2),
    }));
  }
  const caption = content.at ? make("figcaption", {}, `the matrix ${content.at}`) : null;
  return make("figure", {}, map, caption);
}

// On a card: cells with their numbers, right-aligned at `right`.
function cells(content, right, top, className) {
  const group = draw("g", { class: className });
  const columns = content.rows[0].length;
  const wide = content.cell;
  content.rows.forEach((row, i) => row.forEach((text, j) => {
    const x = right - (columns - j) * wide;
    const level = content.levels[i][j];
    group.append(
      draw("rect", {
        class: `cell ${signOf(level)}`, x: x + 0.5, y: top + i * M.row, width: wide - 1,
        height: M.row - 1, "fill-opacity": level === null ? 1 : (Math.abs(level) * 0.38).toFixed(3),
      }),
      write("figure", x + wide - 4, top + i * M.row + 12, text, wide - 5, "end"),
    );
  }));
  return group;
}
