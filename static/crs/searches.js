// Sends what is searched for in a header: an address is kept by browsers and proxies, and a search can name a patient.

const toHeader = ({ detail: { elt, verb, formData, headers } }) => {
  if (!elt.matches("form[data-search]") || verb !== "get") return;
  const typed = formData.get("q");
  formData.delete("q");
  formData.delete("csrfmiddlewaretoken"); // of the form without scripts, which posts
  if (typed) headers["CRS-Search"] = encodeURIComponent(typed);
};

export const watchSearches = () => document.body.addEventListener("htmx:configRequest", toHeader);
