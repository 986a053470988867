// The token of this page against forged requests, which htmx sends by itself and fetch() does not.

export const csrfToken = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
