/// The scripts of a patch: their names are all that is looked at here.
extension PatchContents {
    /// Scripts that would run and have no way back.
    func missingDowngrades(above dependency: Version) -> [Finding] {
        func scripts(_ directory: String) -> [(path: ExactText, name: ScriptName)] {
            paths.compactMap { path in
                guard let name = path.relative(to: ExactText(directory)), kind(of: path) == .file else { return nil }
                return ScriptName(name.description).map { (path, $0) }
            }
        }
        let back = Set(scripts("downgrades").map(\.name.version))
        return scripts("upgrades").filter { $0.name.version > dependency && !back.contains($0.name.version) }.map {
            .warning(
                "noDowngrade", at: place(of: $0.path),
                "has no way back: without a script for \($0.name.version) in downgrades/, only a backup of the database "
                    + "undoes it")
        }
    }

    /// Refuses scripts above the update's version; warns of what is no script.
    func checkScripts(upTo version: Version) throws(Refusal) -> [Finding] {
        var findings: [Finding] = []
        for directory in ["upgrades", "downgrades"] {
            for path in paths {
                // What lies deeper is reported as its directory.
                guard let name = path.relative(to: ExactText(directory)), name.components.count == 1 else { continue }
                guard kind(of: path) == .file, let script = ScriptName(name.description) else {
                    findings.append(
                        .warning(
                            "scriptIgnored", at: place(of: path),
                            "is no script named by its version (8.0.2.sh, 8.0.2~a_remark.sql) and is ignored"))
                    continue
                }
                guard script.version <= version else {
                    throw Refusal(
                        .manifestInvalid, at: place(of: path),
                        "the script is for version \(script.version), above the update's \(version)")
                }
            }
        }
        return findings
    }

    /// Refuses migrations without a number; warns of what is none, of numbers that are used twice, and of what has no way
    /// back, once for all of the directory.
    ///
    /// - Parameter known: by type of their patch, the migrations of the patches before, with their places: a database knows
    ///   them by type and name.
    func checkMigrations(
        of patch: Patch, _ known: inout [String: [MigrationName: String]]
    ) throws(Refusal) -> [Finding] {
        var findings: [Finding] = []
        var names: [MigrationName] = []
        var ways: [(path: ExactText, name: MigrationName)] = []
        for path in paths {
            guard let file = path.relative(to: ExactText(MigrationRule.directory)), file.components.count == 1 else {
                continue
            }
            guard kind(of: path) == .file, let form = MigrationName.File(file.description) else {
                findings.append(
                    .warning(
                        "scriptIgnored", at: place(of: path),
                        "is no migration named by its number (0042_x.sql, V12__x.sql) and is ignored"))
                continue
            }
            guard let name = MigrationName(file.description) else {
                throw Refusal(
                    .manifestInvalid, at: place(of: path),
                    form.stem.utf8.count > MigrationName.longest
                        ? "the migration's name has more than \(MigrationName.longest) bytes"
                        : "the migration has no number at the start of its name (0042_x.sql, V12__x.sql)")
            }
            if form.isWayBack { ways.append((path, name)) } else { names.append(name) }
        }
        if names.isEmpty && ways.isEmpty { return findings }
        guard patch.type.utf8.count <= 64 else {
            throw Refusal(
                .manifestInvalid, at: place(of: ExactText(MigrationRule.directory)),
                "a patch with migrations has a type of at most 64 bytes: it stands in the database's record of them")
        }
        names.sort()
        findings += try repeated(names, isAllowed: patch.outOfOrder ?? false)
        for name in names {
            let own = place(of: ExactText("\(MigrationRule.directory)/\(name).sql"))
            guard let other = known[patch.type, default: [:]].updateValue(own, forKey: name) else { continue }
            throw Refusal(
                .manifestInvalid, at: own,
                "is called as \(other), a patch of the same type: the database would take them for one migration")
        }
        for way in ways where !names.contains(way.name) {
            findings.append(
                .warning("scriptIgnored", at: place(of: way.path), "is the way back of no migration and is ignored"))
        }
        let back = Set(ways.map(\.name))
        let missing = names.filter { !back.contains($0) }
        if let first = missing.first {
            let others = missing.count > 1 ? " and \(missing.count - 1) others" : ""
            findings.append(
                .warning(
                    "noDowngrade", at: place(of: ExactText(MigrationRule.directory)),
                    "\(first).sql\(others) have no way back: without a NAME.down.sql, only a backup of the database "
                        + "undoes them"))
        }
        return findings
    }

    /// Refuses two files of one name (`x.sql`, `x.up.sql`); warns of a number that two names have.
    private func repeated(_ names: [MigrationName], isAllowed: Bool) throws(Refusal) -> [Finding] {
        var findings: [Finding] = []
        for (one, other) in zip(names, names.dropFirst()) where one.number == other.number {
            let place = place(of: ExactText("\(MigrationRule.directory)/\(other).sql"))
            guard one != other else {
                throw Refusal(
                    .manifestInvalid, at: place,
                    "\(one).sql and \(one).up.sql are one migration; leave one of the files out")
            }
            if isAllowed { continue }
            findings.append(
                .warning(
                    "sql", at: place,
                    "has the number \(other.number) of \(one).sql; give it another, or say \"outOfOrder\": true"))
        }
        return findings
    }
}
