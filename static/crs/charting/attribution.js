// Proposes the last attribution of the chosen drug, analyte or term, and opens the block to show it.

const CHARTED_SELECT = "[name=drug], [name=analyte], [name=term]";

// In an attribute: htmx leaves <script> out of what it puts on the page.
const proposals = () => JSON.parse(document.getElementById("attribution")?.dataset.proposals ?? "{}");

const propose = (select) => {
  const block = document.getElementById("attribution");
  const form = select.closest("form[data-entry]");
  if (!block || !form) return;
  const proposal = proposals()[select.value];
  const attribution = form.querySelector("[name=attribution]");
  const reason = form.querySelector("[name=attribution_reason]");
  if (!attribution || !reason) return;
  if (!proposal && !block.dataset.proposedFor) return;
  attribution.value = proposal?.attribution ?? "crs";
  reason.value = proposal?.reason ?? "";
  block.querySelector("[data-proposal]").hidden = !proposal;
  block.toggleAttribute("data-proposed", Boolean(proposal));
  if (proposal) {
    block.dataset.proposedFor = select.value;
    block.open = true;
  } else {
    delete block.dataset.proposedFor;
  }
};

export const watchAttribution = () => {
  document.addEventListener("change", (event) => {
    if (event.target.matches(CHARTED_SELECT)) propose(event.target);
  });
};
