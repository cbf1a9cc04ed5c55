using Akka.Configuration;

namespace ActorTrainer.Actors.Persistence;

/// <summary>HOCON of Akka.Persistence.Sql as journal and snapshot store on one database.</summary>
internal static class SqlPlugins
{
    /// <summary>
    /// The circuit breaker waits longer than the database's own time-outs, so that their messages arrive, and closes soon after the
    /// database is back: a coordinator that could not write is started again and only has to be let in.
    /// </summary>
    /// <param name="connectionString">Connection string of the database's driver.</param>
    /// <param name="provider">Name of the driver, as linq2db has it.</param>
    /// <param name="schema">Schema of the tables, which exists; null where the database has none.</param>
    public static Config Config(string connectionString, string provider, string? schema)
    {
        var settings =
            $$"""
            connection-string = {{Quote(connectionString)}}
            provider-name = {{Quote(provider)}}
            auto-initialize = true
            default.schema-name = {{(schema is null ? "null" : Quote(schema))}}
            circuit-breaker {
              max-failures = 5
              call-timeout = 20s
              reset-timeout = 3s
            }
            """;
        return ConfigurationFactory.ParseString(
            $$"""
            akka.persistence {
              journal {
                plugin = "akka.persistence.journal.sql"
                sql {
                  class = "Akka.Persistence.Sql.Journal.SqlWriteJournal, Akka.Persistence.Sql"
                  recovery-event-timeout = 20s
                  {{settings}}
                }
              }
              snapshot-store {
                plugin = "akka.persistence.snapshot-store.sql"
                sql {
                  class = "Akka.Persistence.Sql.Snapshot.SqlSnapshotStore, Akka.Persistence.Sql"
                  {{settings}}
                }
              }
            }
            """);
    }

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
