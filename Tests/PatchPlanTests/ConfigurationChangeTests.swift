import PatchModel
import PatchPlan
import Testing

@Suite struct `A configuration that is read again` {
    private func endpoint(_ name: String, _ folders: [String: String] = ["PAIE": "/srv/PAIE", "SEED": "/srv/SEED"])
        -> Endpoint
    {
        Endpoint(
            name: name, path: "/srv",
            folders: folders.sorted { $0.key < $1.key }.map {
                Folder(name: $0.key, parent: $0.key == "PAIE" ? nil : "PAIE", path: $0.value)
            })
    }

    @Test func `is taken as it is where no folder is locked or half done`() {
        let new = [endpoint("payroll", ["PAIE": "/srv/PAIE"]), endpoint("erp", ["ERP": "/srv/ERP"])]
        let change = ConfigurationChange(from: [endpoint("payroll")], to: new, engaged: ["payroll": []])
        #expect(change.endpoints == new && change.deferrals.isEmpty)
    }

    @Test func `does not take away an endpoint in which a folder is half done`() {
        let change = ConfigurationChange(from: [endpoint("payroll")], to: [], engaged: ["payroll": ["SEED"]])
        #expect(change.endpoints == [endpoint("payroll")])
        #expect(change.deferrals.first?.reason.contains("SEED") == true)
    }

    @Test(arguments: [
        ["PAIE": "/srv/PAIE"], ["PAIE": "/srv/PAIE", "SEED3": "/srv/SEED"], ["PAIE": "/srv/PAIE", "SEED": "/mnt/SEED"],
    ]) func `does not remove, rename or move a folder that is half done, and takes up the other endpoints`(
        _ folders: [String: String]
    ) {
        let erp = endpoint("erp", ["ERP": "/opt/ERP"])
        let change = ConfigurationChange(
            from: [endpoint("payroll")], to: [endpoint("payroll", folders), erp], engaged: ["payroll": ["SEED"]])
        #expect(change.endpoints == [endpoint("payroll"), erp])
        #expect(change.deferrals.map(\.endpoint) == ["payroll"])
    }

    @Test func `may change what is not half done`() {
        let new = endpoint("payroll", ["PAIE": "/srv/PAIE", "SEED": "/srv/SEED", "SEED2": "/srv/SEED2"])
        let change = ConfigurationChange(from: [endpoint("payroll")], to: [new], engaged: ["payroll": ["SEED"]])
        #expect(change.endpoints == [new] && change.deferrals.isEmpty)
    }

    @Test func `does not give the folders of a half done endpoint to another one`() {
        let change = ConfigurationChange(
            from: [endpoint("payroll")], to: [endpoint("pay")], engaged: ["payroll": ["SEED"]])
        #expect(change.endpoints == [endpoint("payroll")])
        #expect(change.deferrals.map(\.endpoint) == ["payroll", "pay"])
    }

    @Test(arguments: ["parent", "database", "owner", "active", "above"])
    func `does not change what a folder that is half done is, nor leave it out`(what: String) {
        var new = endpoint("payroll", ["PAIE": "/srv/PAIE", "SEED": "/srv/SEED", "SEED2": "/srv/SEED2"])
        let old = new
        for index in new.folders.indices where new.folders[index].name == "SEED" {
            switch what {
            case "parent": new.folders[index].parent = "SEED2"
            case "database": new.folders[index].database = try? DatabaseReference("sqlite:other.db")
            case "owner": new.folders[index].owner = "nobody"
            case "active": new.folders[index].active = false
            // With one above it, it would be left out as well.
            default: new.folders[0].active = false
            }
        }
        let change = ConfigurationChange(from: [old], to: [new], engaged: ["payroll": ["SEED"]])
        #expect(change.endpoints == [old])
        #expect(change.deferrals.map(\.endpoint) == ["payroll"])
        // In another folder of the endpoint that is no matter.
        let other = ConfigurationChange(from: [old], to: [new], engaged: ["payroll": ["SEED2"]])
        #expect(other.endpoints == (what == "above" ? [old] : [new]))
    }
}
