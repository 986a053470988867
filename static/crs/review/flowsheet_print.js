// A printed flowsheet: a sheet with more columns than a page has room for is printed as several sheets, one
// below the other, each with the names of its rows. Type is never made smaller.

const NAMES_PX = 140;
const COLUMN_PX = 34;
const ON_ITS_SIDE_PX = 970; // Letter and A4 on their side, between the margins
const UPRIGHT_PX = 680;

const roomFor = () => {
  const isPage = document.body.classList.contains("flowsheet-page");
  return Math.floor(((isPage ? ON_ITS_SIDE_PX : UPRIGHT_PX) - NAMES_PX) / COLUMN_PX);
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
  const most = roomFor();
  if (count <= most) return;
  const each = Math.ceil(count / Math.ceil(count / most));
  for (let first = 0; first < count; first += each) {
    table.parentElement.append(sliceOf(table, first, Math.min(first + each, count)));
  }
  table.classList.add("in-slices");
}
