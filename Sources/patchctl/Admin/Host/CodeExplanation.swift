import PatchModel

/// What a code of the contract (§11) means, and the way out.
struct CodeExplanation {
    let code: String
    let meaning: String
    let wayOut: String

    private init(_ code: String, _ meaning: String, _ wayOut: String) {
        (self.code, self.meaning, self.wayOut) = (code, meaning, wayOut)
    }

    /// All of them: jobs, archives, requests, warnings of `lint`, exit codes.
    static var all: [CodeExplanation] {
        FaultCode.allCases.map(of) + RefusalCode.allCases.map(of) + requests + warnings
            + ExitStatus.allCases.map { CodeExplanation("\($0.rawValue)", "exit code: \($0.meaning)", "") }
    }

    private static func of(_ code: FaultCode) -> CodeExplanation {
        let (meaning, wayOut) =
            switch code {
            case .dependency:
                (
                    "a folder does not have the version that the update needs, or a later job is in the way of a rollback",
                    "Apply the update that brings that version first, exclude the folder, or say what it has: patchctl baseline ENDPOINT/FOLDER VERSION"
                )
            case .unstable:
                (
                    "an admin has marked the update unstable",
                    "Apply it with --force, or take the mark away: patchctl mark-stable NAME@VERSION. See: patchctl marks"
                )
            case .space:
                (
                    "a disk has too little room for the update and the copies of what it replaces",
                    "Make room on the file system that is named, then: patchctl resume JOB"
                )
            case .ownership:
                (
                    "a folder's owner changed, or its owner may not write where the update has to",
                    "Correct owner, group or mode of the path that is named; where the owner is meant to be another, set \"owner\" in the endpoint's file"
                )
            case .database:
                (
                    "the folder's database cannot be used, or does not agree with the folder",
                    "Check \"database\" in the endpoint's file and that the server runs; after a restored dump: patchctl baseline ENDPOINT/FOLDER VERSION"
                )
            case .interpreter:
                (
                    "a script's #! line names a program that this host does not have",
                    "Install that program, then: patchctl resume JOB"
                )
            case .unit:
                (
                    "a unit cannot be stopped, does not start again, or does not exist",
                    "See: systemctl status UNIT, journalctl -u UNIT. When it runs again: patchctl resume JOB"
                )
            case .exists:
                (
                    "something that patchd did not bring is where the update puts a file, table or form",
                    "Move it away, then: patchctl resume JOB"
                )
            case .missing:
                (
                    "something that the update or the command needs does not exist",
                    "Put back what is named, or correct the name"
                )
            case .irreversible:
                (
                    "the way back is missing: a script has no downgrade, or the originals are no longer kept",
                    "Ask the vendor for downgrades, use \"backup\" or --discard-data for the database, or use \"onFailure: hold\""
                )
            case .script:
                (
                    "a script failed, or cannot be run as it is written",
                    "See what it printed: patchctl trace JOB FOLDER. Fix the cause, then: patchctl resume JOB"
                )
            case .sql:
                (
                    "a statement of a script in SQL failed, or is refused, or a migration's number is used or passed",
                    "See which one: patchctl trace JOB FOLDER. Fix the cause, then: patchctl resume JOB"
                )
            case .inUse:
                (
                    "somebody who did not leave has the folder or its database in use",
                    "End the process or session that is named, then: patchctl resume JOB"
                )
            case .handler:
                (
                    "a command of \"handlers\" failed, or is missing",
                    "See what it printed: patchctl trace JOB FOLDER. Fix the cause, then: patchctl resume JOB"
                )
            case .hook:
                (
                    "a command of \"hooks\" failed",
                    "See what it printed: patchctl trace JOB FOLDER. Fix the cause, then: patchctl resume JOB"
                )
            case .io:
                (
                    "a file cannot be read or written",
                    "See the message for the path and the system's reason; when that is fixed: patchctl resume JOB"
                )
            case .cancelled:
                (
                    "an admin cancelled the job while it ran, and a folder is held where it stopped",
                    "Go on with: patchctl resume JOB, or take it back with: patchctl rollback JOB"
                )
            }
        return CodeExplanation(code.rawValue, meaning, wayOut)
    }

    private static func of(_ code: RefusalCode) -> CodeExplanation {
        let vendor = "Ask the vendor for a good archive; \"patchctl lint FILE\" says all that is wrong with this one"
        let (meaning, wayOut) =
            switch code {
            case .notAFile:
                (
                    "what was dropped is a link, a directory or a device",
                    "Drop a plain file, or use: patchctl submit FILE"
                )
            case .incomplete:
                (
                    "the file changed or ended while it was read",
                    "Copy it under a hidden name and rename it, or use: patchctl submit FILE"
                )
            case .signatureMissing:
                (
                    "this host takes signed archives only, and there is no NAME.zip.sig",
                    "Drop the signature before the archive"
                )
            case .signatureInvalid:
                (
                    "the signature does not fit the archive, or is by nobody in allowed_signers",
                    "Do not use the archive; ask the vendor, and check allowed_signers and revoked_keys"
                )
            case .archiveMalformed: ("the file is no zip archive, or one that readers do not read alike", vendor)
            case .archiveEncrypted: ("the archive, or a part of it, is encrypted", vendor)
            case .archiveMethod: ("an entry is compressed with another method than deflate", vendor)
            case .entryType:
                ("an entry is neither a plain file nor a directory, or is setuid, setgid or sticky", vendor)
            case .entryName:
                ("a name is not clean: absolute, with .., a control or invisible character, or reserved", vendor)
            case .entryDuplicate: ("a name occurs twice, or is a file and another's directory", vendor)
            case .entryChecksum: ("an entry's content does not have the checksum that the archive says", vendor)
            case .limitExceeded:
                (
                    "the archive is larger than this host takes",
                    "Raise \"limits\" in patchd.yaml where the vendor is trusted"
                )
            case .manifestMissing: ("there is no update.json", vendor)
            case .manifestInvalid: ("update.json, jobs.json, datafiles.json or what they name breaks the rules", vendor)
            case .contentUndeclared: ("a file lies below no patch's path", vendor)
            case .contentMissing: ("a file or directory that the manifest names is not in the archive", vendor)
            case .optionsInvalid:
                (
                    "the options name something unknown, or switch a mandatory patch off",
                    "Correct NAME.zip.json or the command's options"
                )
            case .notAccepted:
                (
                    "no endpoint of this host takes the update",
                    "See \"accepts\" in endpoints.d and \"endpoints\" in the manifest"
                )
            }
        return CodeExplanation(code.rawValue, meaning, wayOut)
    }

    private static let requests = [
        CodeExplanation(
            "requestInvalid", "a request is not well-formed", "See the table of requests in docs/admin.md"),
        CodeExplanation(
            "notPermitted", "the user may not command", "Ask an approver, or become one: \"adduser USER patchd\""),
        CodeExplanation("unknownJob", "there is no job of that number", "See: patchctl jobs"),
        CodeExplanation("wrongState", "the job's state does not allow that", "See: patchctl show JOB"),
        CodeExplanation(
            "archiveDiffers", "the job's archive is not the one with the given SHA-256",
            "Compare with: patchctl show JOB, and sha256sum FILE"),
    ]

    private static let warnings = [
        CodeExplanation(
            "nameCollision", "two names are equal but for case or Unicode form",
            "Rename one; some file systems cannot hold both"),
        CodeExplanation(
            "scriptIgnored", "a file where scripts belong is not named as they are, and does not run",
            "Name it as 8.0.2.sh or 8.0.2_remark.sql, directly below upgrades/ or downgrades/, or as 0042_x.sql below "
                + "migrations/"),
        CodeExplanation(
            "scriptSyntax",
            "a script has line ends or a byte order mark that its interpreter does not bear, or SQL that would not run",
            "Save it with Unix line ends and without a byte order mark; correct the statement that is named"),
        CodeExplanation(
            "noDowngrade", "a script has no way back",
            "Add downgrades/VERSION.sh or .sql, or migrations/NAME.down.sql, so that the update can be rolled back"),
        CodeExplanation(
            "typeUnknown", "a patch is for a module that no folder has",
            "Correct \"type\" in update.json, or \"modules\" in the endpoint's file"),
    ]
}
