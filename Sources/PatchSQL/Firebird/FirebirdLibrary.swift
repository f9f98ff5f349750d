import CFirebird

/// The functions of Firebird's client library that patchd uses. Some C types are pointers to a function that may be nil;
/// none of these is.
struct FirebirdLibrary: Sendable {
    let attach: patch_fb_attach
    let detach: patch_fb_end
    let start: patch_fb_start
    let commit: patch_fb_end
    let rollback: patch_fb_end
    let allocate: patch_fb_allocate
    let prepare: patch_fb_prepare
    let describe: patch_fb_describe
    let describeParameters: patch_fb_describe
    let execute: patch_fb_execute
    let fetch: patch_fb_fetch
    let free: patch_fb_free
    let statementInfo: patch_fb_info
    let databaseInfo: patch_fb_info
    let openBlob: patch_fb_open_blob
    let createBlob: patch_fb_create_blob
    let readBlob: patch_fb_get_segment
    let writeBlob: patch_fb_put_segment
    let closeBlob: patch_fb_end
    let cancel: patch_fb_cancel
    let interpret: patch_fb_interpret
    let sqlState: patch_fb_sqlstate

    /// The library itself, for what only some need of it.
    let library: ClientLibrary

    /// Loads the library.
    ///
    /// - Throws: with the code `database` where it is not installed.
    init() throws(SQLError) {
        library = try ClientLibrary("libfbclient.so.2", package: "libfbclient2")
        attach = try library.function("isc_attach_database", as: patch_fb_attach.self)
        detach = try library.function("isc_detach_database", as: patch_fb_end.self)
        start = try library.function("isc_start_multiple", as: patch_fb_start.self)
        commit = try library.function("isc_commit_transaction", as: patch_fb_end.self)
        rollback = try library.function("isc_rollback_transaction", as: patch_fb_end.self)
        allocate = try library.function("isc_dsql_allocate_statement", as: patch_fb_allocate.self)
        prepare = try library.function("isc_dsql_prepare", as: patch_fb_prepare.self)
        describe = try library.function("isc_dsql_describe", as: patch_fb_describe.self)
        describeParameters = try library.function("isc_dsql_describe_bind", as: patch_fb_describe.self)
        execute = try library.function("isc_dsql_execute2", as: patch_fb_execute.self)
        fetch = try library.function("isc_dsql_fetch", as: patch_fb_fetch.self)
        free = try library.function("isc_dsql_free_statement", as: patch_fb_free.self)
        statementInfo = try library.function("isc_dsql_sql_info", as: patch_fb_info.self)
        databaseInfo = try library.function("isc_database_info", as: patch_fb_info.self)
        openBlob = try library.function("isc_open_blob2", as: patch_fb_open_blob.self)
        createBlob = try library.function("isc_create_blob2", as: patch_fb_create_blob.self)
        readBlob = try library.function("isc_get_segment", as: patch_fb_get_segment.self)
        writeBlob = try library.function("isc_put_segment", as: patch_fb_put_segment.self)
        closeBlob = try library.function("isc_close_blob", as: patch_fb_end.self)
        cancel = try library.function("fb_cancel_operation", as: patch_fb_cancel.self)
        interpret = try library.function("fb_interpret", as: patch_fb_interpret.self)
        sqlState = try library.function("fb_sqlstate", as: patch_fb_sqlstate.self)
    }
}
