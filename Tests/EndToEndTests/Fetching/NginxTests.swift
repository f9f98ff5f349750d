import Foundation
import Support
import Testing

/// A web server that many vendors have. `scripts/install-dependencies` installs it.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/nginx"))) struct `An update on nginx` {
    @Test func `comes without what is here already`() throws {
        let site = try VendorSite()
        let root = site.host.root
        let seeds = Array(1...40)
        let first = ExampleUpdate(version: "8.0.2", dependency: "8.0.1", seeds: seeds)
        let next = ExampleUpdate(version: "8.0.3", dependency: "8.0.2", seeds: seeds.dropLast() + [99])
        try site.add(first)
        try site.add(next)
        for suffix in [".zip.sig", ".zip"] {
            try FileManager.default.copyItem(
                atPath: site.path("X3V8_P2-8.0.2\(suffix)"), toPath: "\(root)/spool/incoming/first\(suffix)")
        }
        try #require(try site.host.once().code == 0)
        try site.publish([site.entry(next)])

        let port = UInt16.random(in: 20000..<32000)
        try site.host.write(
            """
            daemon off; master_process off; pid \(root)/nginx.pid; error_log \(root)/nginx.error;
            events {}
            http {
              log_format bytes "$uri $body_bytes_sent";
              access_log \(root)/nginx.log bytes;
              client_body_temp_path \(root)/t1; proxy_temp_path \(root)/t2; fastcgi_temp_path \(root)/t3;
              uwsgi_temp_path \(root)/t4; scgi_temp_path \(root)/t5;
              server {
                listen 127.0.0.1:\(port) ssl;
                ssl_certificate \(root)/server.pem; ssl_certificate_key \(root)/server.pem;
                root \(site.server.directory);
              }
            }

            """, "nginx.conf")
        let nginx = try RunningProgram(
            "/usr/sbin/nginx", ["-c", "\(root)/nginx.conf", "-e", "\(root)/nginx.error", "-p", root])
        #expect(site.host.until("nginx runs") { site.host.exists("nginx.pid") }, "\(nginx.errors)")
        try site.host.write("sources: [\"https://localhost:\(port)/index.json\"]\n", "etc/patchd.yaml")
        let outcome = try site.check("--download")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(site.isSame("X3V8_P2-8.0.3.zip"))
        let lines = try site.host.read("nginx.log").split(separator: "\n").filter {
            $0.hasPrefix("/X3V8_P2-8.0.3.zip ")
        }
        let bytes = lines.reduce(0) { $0 + (Int($1.split(separator: " ")[1]) ?? 0) }
        let size = try #require(site.entry(next)["size"] as? Int)
        #expect(bytes < size / 4 && bytes > 64 << 10, "\(bytes) of \(size)")
        nginx.send(SIGKILL)
    }
}
