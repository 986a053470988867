// Tells the record that a page is printed; the server finds in the address what it shows.

const tell = () => {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  fetch(document.body.dataset.printed, {
    method: "POST",
    headers: { "X-CSRFToken": token, "HX-Request": "true" },
    body: new URLSearchParams({ path: location.pathname }),
    keepalive: true,
  }).catch(() => {}); // without a connection the page was recorded when it was opened
};

export const watchPrinting = () => {
  if (document.body.dataset.printed) addEventListener("beforeprint", tell);
};
