// Where a packaged patchd keeps its files (contract of the daemon: --state-dir, --spool-dir).

export const state = "/var/lib/patchd";
export const spool = "/var/spool/patchd";
export const configuration = "/etc/patchd";

export const metrics = `${state}/metrics/patchd.prom`;

export const job = (number) => `${state}/jobs/${number}`;
export const trace = (number, folder) => `${job(number)}/traces/${folder}.jsonl`;
