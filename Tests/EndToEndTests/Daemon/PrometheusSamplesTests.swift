import Foundation
import Support
import Testing

/// `examples/prometheus`, held against the metrics that a daemon writes.
@Suite struct `The samples for Prometheus` {
    static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private static let samples = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../../examples/prometheus").standardizedFileURL

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.samples.appendingPathComponent(name), encoding: .utf8)
    }

    /// Every metric with its labels, as a daemon wrote them.
    private func metrics() throws -> [String: Set<String>] {
        let host = try Installation()
        try ExampleUpdate().pack(to: "\(host.root)/spool/incoming/update.zip")
        _ = try host.once()
        try host.write("closing", "spool/holds/ALL.lock")
        _ = try host.once()
        var metrics: [String: Set<String>] = [:]
        for line in try host.read("state/metrics/patchd.prom").split(separator: "\n") where !line.hasPrefix("#") {
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            metrics[name, default: []].formUnion(line.matches(of: /[{,]([a-z_]+)="/).map { String($0.output.1) })
        }
        return metrics
    }

    /// The PromQL of every panel.
    private func expressions(_ dashboard: [String: Any]) throws -> [String] {
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        return panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }.compactMap { $0["expr"] as? String }
    }

    private func dashboard() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text("patchd.dashboard.json").utf8)) as? [String: Any])
    }

    @Test func `use metrics and labels that there are, and the dashboard shows all`() throws {
        let metrics = try metrics()
        #expect(metrics.count == 9)
        let dashboard = try dashboard()
        let variables = try #require((dashboard["templating"] as? [String: Any])?["list"] as? [[String: Any]])
        let queries = variables.compactMap { ($0["query"] as? [String: Any])?["query"] as? String }
        #expect(queries.count == 2)
        let rules = try text("patchd.rules.yml")
        let alerts = rules.matches(of: /expr: (.*)/).map { String($0.output.1) }
        #expect(alerts.count == rules.matches(of: /- alert:/).count && !alerts.isEmpty)
        var shown: Set<String> = []
        for expression in try expressions(dashboard) + queries + alerts {
            let used = expression.matches(of: /(patchd_[a-z_]+)(\{[^}]*\})?/)
            #expect(!used.isEmpty, "\(expression)")
            for match in used {
                let name = String(match.output.1)
                let known = try #require(metrics[name], "\(name) in \(expression)").union(["instance"])
                for label in (match.output.2 ?? "").matches(of: /([a-z_]+)=~?"/) {
                    #expect(known.contains(String(label.output.1)), "\(label.output.1) of \(name) in \(expression)")
                }
                shown.insert(name)
            }
        }
        #expect(shown == Set(metrics.keys))
        let ids = try #require(dashboard["panels"] as? [[String: Any]]).compactMap { $0["id"] as? Int }
        #expect(Set(ids).count == ids.count && ids.count == (dashboard["panels"] as? [Any])?.count)
    }

    @Test(.enabled(if: promtool != nil, "promtool is not there"))
    func `are rules and queries that Prometheus understands, and alerts that come when they should`() throws {
        let promtool = try #require(Self.promtool)
        let rules = Self.samples.appendingPathComponent("patchd.rules.yml").path
        let checked = try Installation.run(promtool, ["check", "rules", "--lint=all", "--lint-fatal", rules])
        #expect(checked.code == 0, "\(checked)")
        let host = try Installation()
        let queries = try expressions(dashboard()).enumerated().map { number, expression in
            let plain = expression.replacing(/\$(instance|endpoint)/, with: ".*")
            return "  - {record: \"panel:\(number)\", expr: '\(plain)'}\n"
        }
        try host.write("groups:\n- name: panels\n  rules:\n" + queries.joined(), "panels.yml")
        let panels = try Installation.run(promtool, ["check", "rules", "\(host.root)/panels.yml"])
        #expect(panels.code == 0 && panels.output.contains("\(queries.count) rules"), "\(panels)")
        try host.write(
            """
            rule_files: [\(rules)]
            evaluation_interval: 1m
            tests:
            - interval: 1m
              input_series:
              - {series: 'patchd_folder_info{endpoint="payroll",folder="SEED",version="8.0.1",status="failed"}', values: '1x10'}
              - {series: 'patchd_folder_info{endpoint="payroll",folder="PAIE",version="8.0.1",status="current"}', values: '1x10'}
              - {series: 'patchd_jobs{state="failed"}', values: '2x20 3x200'}
              - {series: 'patchd_folder_locked{endpoint="payroll",folder="SEED"}', values: '1x300'}
              - {series: 'patchd_folder_locked{endpoint="payroll",folder="PAIE"}', values: '1x30 0x300'}
              - {series: 'patchd_spool_rejected_total', values: '0x20 1x300'}
              - {series: 'patchd_config_refused', values: '0x20 1x300'}
              alert_rule_test:
              - {eval_time: 5m, alertname: PatchdFolderFailed, exp_alerts: [{exp_labels:
                  {severity: critical, endpoint: payroll, folder: SEED, version: 8.0.1, status: failed}, exp_annotations:
                  {summary: "payroll/SEED on : an update failed and holds it", description:
                  "It stays locked, with those below it, until somebody acts: patchctl status payroll"}}]}
              - {eval_time: 15m, alertname: PatchdJobFailed, exp_alerts: []}
              - {eval_time: 25m, alertname: PatchdJobFailed, exp_alerts: [{exp_labels: {severity: warning, state: failed},
                  exp_annotations: {summary: "A job of patchd failed on ", description:
                  "patchctl jobs says which, patchctl show JOB why."}}]}
              - {eval_time: 60m, alertname: PatchdJobFailed, exp_alerts: []}
              - {eval_time: 119m, alertname: PatchdFolderLocked, exp_alerts: []}
              - {eval_time: 125m, alertname: PatchdFolderLocked, exp_alerts: [{exp_labels:
                  {severity: critical, endpoint: payroll, folder: SEED}, exp_annotations:
                  {summary: "payroll/SEED on  is locked for two hours", description:
                  "Applications are kept out of it. patchctl status payroll names the reason and the next command."}}]}
              - {eval_time: 10m, alertname: PatchdArchiveRefused, exp_alerts: []}
              - {eval_time: 25m, alertname: PatchdArchiveRefused, exp_alerts: [{exp_labels: {severity: warning},
                  exp_annotations: {summary: "patchd refused an archive on ", description:
                  "The reason is beside it: /var/spool/patchd/rejected/NAME.zip.reason.json"}}]}
              - {eval_time: 20m, alertname: PatchdConfigRefused, exp_alerts: []}
              - {eval_time: 30m, alertname: PatchdConfigRefused, exp_alerts: [{exp_labels: {severity: warning},
                  exp_annotations: {summary: "patchd refuses its configuration on , and an older one is in effect",
                  description: "patchctl config check says what is wrong, and where."}}]}

            """, "alerts.yml")
        let alerts = try Installation.run(promtool, ["test", "rules", "\(host.root)/alerts.yml"])
        #expect(alerts.code == 0, "\(alerts)")
    }
}
