// A printed flowsheet: a sheet with more columns than a page has room for is printed as several sheets, one
// below the other, each with the names of its rows. Type is never made smaller.

const NAMES_PX = 120;
const LEAST_PX = 30;
const EDGES_PX = 4;
const ON_ITS_SIDE_PX = 978; // Letter and A4 on their side, between the margins
const UPRIGHT_PX = 680;
const TYPE_PX = 10.8; // 8.1 pt, as flowsheet.css prints it
const LETTER_SPACING_PX = -.05 * TYPE_PX;

// The width that the longest number needs: half of a number is another number.
const columnPx = (table) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `bold ${TYPE_PX}px Arial, Helvetica, sans-serif`;
  const width = (text) => pen.measureText(text).width + text.length * LETTER_SPACING_PX;
  let widest = LEAST_PX - EDGES_PX;
  for (const cell of table.querySelectorAll("td:not([colspan])")) {
    for (const text of [...cell.childNodes].flatMap((node) => [node, ...node.childNodes])) {
      if (text.nodeType === Node.TEXT_NODE) widest = Math.max(widest, width(text.data.trim()));
    }
  }
  return widest + EDGES_PX;
};

const roomFor = (table) => {
  const isPage = document.body.classList.contains("flowsheet-page");
  return Math.max(1, Math.floor(((isPage ? ON_ITS_SIDE_PX : UPRIGHT_PX) - NAMES_PX) / columnPx(table)));
};

// Keep of a row the cells of columns `first` to `end`: a cell over several columns gets as many of them.
const cutRow = (row, first, end) => {
  let place = 0;
  for (const cell of [...row.querySelectorAll(":scope > :not(.name)")]) {
    const from = Math.max(place, first);
    const until = Math.min(place + cell.colSpan, end);
    place += cell.colSpan;
    if (from < until) cell.colSpan = until - from;
    else cell.remove();
  }
};

const sliceOf = (table, first, end) => {
  const slice = table.cloneNode(true);
  for (const one of slice.querySelectorAll("[id]")) one.removeAttribute("id");
  [...slice.querySelectorAll("col:not(.names)")].forEach((col, place) => {
    if (place < first || place >= end) col.remove();
  });
  for (const row of slice.rows) cutRow(row, first, end);
  slice.classList.add("slice");
  return slice;
};

export function removeSlices() {
  document.querySelectorAll(".flowsheet.slice").forEach((slice) => slice.remove());
  document.querySelectorAll(".flowsheet.in-slices").forEach((table) => table.classList.remove("in-slices"));
}

export function printInSlices(table) {
  removeSlices();
  if (!table?.isConnected) return;
  const count = table.querySelectorAll("col:not(.names)").length;
  const most = roomFor(table);
  if (count <= most) return;
  const each = Math.ceil(count / Math.ceil(count / most));
  for (let first = 0; first < count; first += each) {
    table.parentElement.append(sliceOf(table, first, Math.min(first + each, count)));
  }
  table.classList.add("in-slices");
}
