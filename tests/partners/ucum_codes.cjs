// Reads a list of unit codes as JSON and writes those that are no UCUM.
const { UcumLhcUtils } = require("@lhncbc/ucum-lhc");

const codes = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const ucum = UcumLhcUtils.getInstance();
console.log(JSON.stringify(codes.filter((code) => ucum.validateUnitString(code).status !== "valid")));
