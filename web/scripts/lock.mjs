// Makes package-lock.json anew: `npm run lock`, after a change of package.json. It has digests and no addresses, and names what is for
// other systems even where the registry that is asked does not have it: `npm ci` wants all of it named, and installs none of it here.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
rmSync(file, { force: true });
execFileSync("npm", ["install", "--package-lock-only"], { stdio: "inherit", cwd: new URL("..", import.meta.url) });
const lock = JSON.parse(readFileSync(file, "utf8"));
const packages = lock.packages;
for (const [path, each] of Object.entries(packages)) {
  delete each.resolved;
  if (!path.endsWith("@biomejs/biome")) continue;
  for (const [name, version] of Object.entries(each.optionalDependencies)) {
    const [os, cpu, libc] = name.replace("@biomejs/cli-", "").split("-");
    packages[`node_modules/${name}`] ??= {
      version,
      cpu: [cpu],
      dev: true,
      ...(os === "linux" && { libc: [libc ?? "glibc"] }),
      optional: true,
      os: [os],
    };
  }
}
const sorted = Object.fromEntries(Object.entries(packages).sort(([one], [other]) => (one < other ? -1 : 1)));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
