import CSQLite
import PatchModel
import Support
import Testing

@testable import PatchSQL

/// A script of SQLite's.
func script(_ text: String, name: String = "8.0.2.sql") throws -> SQLScript {
    try SQLScript(Array(text.utf8), name: name, dialect: .sqlite)
}

@Suite struct `A script` {
    private func texts(_ text: String, _ dialect: SQLDialect = .sqlite) throws -> [String] {
        try SQLScript(Array(text.utf8), name: "8.0.2.sql", dialect: dialect).statements.map(\.text)
    }

    @Test(arguments: [
        ("a; b ;c", ["a", "b", "c"]),
        (";; a;;", ["a"]),
        ("", []),
        ("-- only a remark; nothing else", []),
        ("select 'a;''b;'; x", ["select 'a;''b;'", "x"]),
        ("select \"a;b\", `c;``d`, [e;'f]; x", ["select \"a;b\", `c;``d`, [e;'f]", "x"]),
        ("select 1 -- a; 'b\n; x", ["select 1", "x"]),
        ("select 1 /* ; ' -- */ + 2; x", ["select 1 /* ; ' -- */ + 2", "x"]),
        ("select 'a\\'; x", ["select 'a\\'", "x"]),
        ("select --1;\n2; x", ["select --1;\n2", "x"]),
        ("\u{FEFF}a; b", ["a", "b"]),
        ("a;\r\n\r\nb;\r\n", ["a", "b"]),
    ])
    func `ends a statement where SQLite does`(text: String, expected: [String]) throws {
        #expect(try texts(text) == expected)
    }

    @Test func `leaves a trigger whole`() throws {
        let trigger = """
            CREATE TEMP /* ; */ TRIGGER t AFTER INSERT ON a BEGIN
              UPDATE a SET x = CASE WHEN 1 THEN 'END;' ELSE 2 END;
              SELECT 1; -- END;
              DELETE FROM "end";
            END
            """
        #expect(try texts(trigger + ";\nselect 1;") == [trigger, "select 1"])
        #expect(try texts("explain query plan " + trigger + ";x") == ["explain query plan " + trigger, "x"])
        // A column of that name does not make a trigger of it.
        #expect(try texts("create table trigger_log(trigger); x") == ["create table trigger_log(trigger)", "x"])
        #expect(try texts("insert into x values('create trigger'); x").count == 2)
    }

    @Test func `of PostgreSQL knows dollar quotes, escape texts and nested comments`() throws {
        let function = "create function f() returns int as $body$ begin; $$ ; $1 end; $body$ language plpgsql"
        #expect(try texts("\(function); x", .postgresql) == [function, "x"])
        #expect(try texts("select $$;'$$, a$b; x", .postgresql) == ["select $$;'$$, a$b", "x"])
        #expect(try texts(#"select E'a\';', e'\\'; x"#, .postgresql) == [#"select E'a\';', e'\\'"#, "x"])
        #expect(try texts(#"select type'a\'; x"#, .postgresql) == [#"select type'a\'"#, "x"])
        #expect(try texts("select 1 /* /* ; */ ; */ ; x", .postgresql).count == 2)
    }

    @Test func `of MariaDB knows backslashes, hash comments and DELIMITER`() throws {
        #expect(try texts(#"select 'a\';', "b\";"; x"#, .mariadb).count == 2)
        #expect(try texts("select 1 # ;\n; x", .mariadb) == ["select 1", "x"])
        #expect(try texts("select 2--1; x", .mariadb) == ["select 2--1", "x"])
        let text = "DELIMITER $$\ncreate procedure p() begin select 1; end$$\ndelimiter ;\nselect 2;"
        #expect(try texts(text, .mariadb) == ["create procedure p() begin select 1; end", "select 2"])
        #expect(try texts("/*!40101 set x=1; */; y", .mariadb) == ["/*!40101 set x=1; */", "y"])
    }

    @Test func `counts statements and lines`() throws {
        let found = try script("-- remark\n\nselect 1;\n/* two\nlines */ select\n 2;select 3").statements
        #expect(found.map(\.number) == [1, 2, 3])
        #expect(found.map(\.line) == [3, 5, 6])
    }

    @Test func `shows of each statement the first line, shortened`() throws {
        let long = "insert into taxes values " + String(repeating: "(1), ", count: 40) + "(2)"
        let found = try script("select 1;\nselect\n2;\(long)").statements.map(\.summary)
        #expect(found[0] == "select 1")
        #expect(found[1] == "select …")
        #expect(found[2].count <= SQLStatement.summaryLength && found[2].hasSuffix(" …"))
        #expect(found[2].hasPrefix("insert into taxes values (1), "))
    }

    @Test func `is the same for other blanks and comments, and another for other words`() throws {
        let hash = try script("select a+1 from b; select 'x y'").hash()
        #expect(try script("-- licence\r\nselect  a + 1 /* */ from\tb;\r\nselect 'x y';\r\n").hash() == hash)
        #expect(try script("select a+1 from b; select 'x  y'").hash() != hash)
        #expect(try script("select a+1 fromb; select 'x y'").hash() != hash)
        #expect(try script("select a+1 from b").hash() == script("select a+1 from b; select 2").hash(first: 1))
    }

    @Test func `has the hashes of its first statements, in whatever order they are asked for`() throws {
        let whole = try script("SELECT 1; SELECT 2; SELECT 3")
        let hashes = ScriptHashes(whole)
        for count in [0, 1, 3, 2, 3] { #expect(hashes.hash(first: count) == whole.hash(first: count)) }
    }

    @Test func `is cut into parts by reconnect, and says when it wants no transaction`() throws {
        let plain = try script("a; b")
        #expect(plain.isTransactional && plain.parts == [0..<2])
        #expect(try script("").parts == [0..<0])
        let cut = try script(
            "--patchd:reconnect\na;\n  -- patchd:reconnect\n-- patchd:reconnect\nb; c;\n-- patchd:reconnect")
        #expect(cut.parts == [0..<1, 1..<3, 3..<3])
        #expect(try !script("a;\n-- patchd:transaction none\nb").isTransactional)
        #expect(try script("select '\n-- patchd:transaction none\n'").isTransactional)
        #expect(try script("/* -- patchd:transaction none */ a").isTransactional)
    }

    @Test(arguments: [
        ("a;\n-- patchd:transaktion none", 2, "patchd:transaktion none"),
        ("-- patchd:transaction some\na", 1, "patchd:transaction some"),
        ("select 1\n-- patchd:reconnect\n+ 2", 2, "middle of a statement"),
        ("a;\nselect 'b\n;\n", 2, "never ends"),
        ("a;\n/* b", 2, "comment"),
        ("a;\nselect [b", 2, "brackets"),
        ("a;\n .read other.sql\n", 2, ".read other.sql"),
        ("\\i other.sql", 1, "client program"),
        ("a;\nb\u{0}", 2, "zero byte"),
    ])
    func `that cannot be understood is refused with its line`(text: String, line: Int, cause: String) throws {
        let error = try #require(throws: SQLError.self) { try script(text) }
        #expect(error.code == .sql)
        #expect(error.place?.line == line)
        #expect(error.description.contains(cause), "\(error)")
    }

    @Test func `that is not UTF-8 is refused with its line`() throws {
        let bytes = Array("a;\nb;\nselect '".utf8) + [0xE4] + Array("';\n".utf8)
        let error = try #require(throws: SQLError.self) {
            try SQLScript(bytes, name: "8.0.2.sql", dialect: .sqlite)
        }
        #expect(error.description.hasPrefix("cannot read 8.0.2.sql, line 3: it is not UTF-8"))
    }

    /// Against sqlite3_complete(), which says of a text whether it ends with the end of a statement.
    @Test func `of random words ends its statements where SQLite's own rule does`() throws {
        let words = [
            "create", "temp", "temporary", "trigger", "explain", "query plan", "begin", "case", "end", "x", "7", "(",
            ",",
            "'a;''b'", "\"c;\"", "[d;']", "`e;`", "--f;'\n", "/* ; */", " ", "\n", ";", ";", ";", "; end;",
            "create trigger ",
        ]
        var random = SeededGenerator(seed: 7)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 1...24, using: &random)).map { _ in
                (words.randomElement(using: &random) ?? "") + (Bool.random(using: &random) ? " " : "\t")
            }.joined()
            var ends: [String] = []
            var begun = ""
            for character in text {
                begun.append(character)
                guard character == ";", sqlite3_complete(begun) == 1 else { continue }
                ends.append(begun)
                begun = ""
            }
            // Of what is between two ends, blanks and comments are no statement.
            let expected = try (ends + [begun]).map { try texts($0) }
            #expect(expected.allSatisfy { $0.count <= 1 }, "\(text)")
            #expect(try texts(text) == expected.flatMap { $0 }, "\(text)")
        }
    }

    @Test func `of random bytes is refused or read, whatever they are`() {
        var random = SeededGenerator(seed: 11)
        let bytes = Array("';\"`[]$-/*#\\.;a1 \nEeDELIMITER".utf8)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in bytes.randomElement(using: &random) ?? 0
            }
            for dialect in [SQLDialect.sqlite, .postgresql, .mariadb] {
                let script = try? SQLScript(text, name: "x.sql", dialect: dialect)
                #expect(script?.statements.allSatisfy { !$0.text.isEmpty } != false)
            }
        }
    }
}
