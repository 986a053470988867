// Leads to the lane that the address names: #<key of a row of the flowsheet>. Findings and treatments have marks in a
// lane of their kind.

const LANES_OF = [
  [/^(treatment|judgement)\.|^(fluid_bolus|treatment|judgement)$/, "given"],
  [/^toxicity\./, "organ_toxicity"],
  [/^symptom\./, "symptom"],
];

// Returns the key in the address, "" for none.
export const linkedKey = () => decodeURIComponent(location.hash.slice(1));

export const laneOf = (host, key) => {
  const all = [...host.querySelectorAll("[data-rows]")];
  const kind = LANES_OF.find(([pattern]) => pattern.test(key))?.[1];
  return (
    all.find((one) => one.dataset.rows.split(" ").includes(key)) ??
    (kind && all.find((one) => one.dataset.rows.split(/[ .]/)[0] === kind))
  );
};

export const goToLinkedLane = (host) => {
  for (const one of host.querySelectorAll(".is-asked")) one.classList.remove("is-asked");
  const key = linkedKey();
  if (!key) return;
  const lane = laneOf(host, key);
  document.getElementById("no-lane").hidden = Boolean(lane) || document.getElementById(key) !== null;
  if (!lane) return;
  lane.classList.add("is-asked");
  lane.tabIndex = -1;
  lane.focus({ preventScroll: true });
  lane.scrollIntoView({ block: "center" });
};
