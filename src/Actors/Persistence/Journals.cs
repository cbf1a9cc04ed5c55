using ActorTrainer.Actors.Nodes;
using ActorTrainer.Model.Common;
using Akka.Configuration;

namespace ActorTrainer.Actors.Persistence;

/// <summary>
/// The journal that the configuration asks for. Whichever it is: an event's number is unique within its run, so that of two coordinators
/// that both believe to own a run only one can write.
/// </summary>
public static class Journals
{
    /// <summary>Environment variable with the connection string, where it has a password that no file and no command line should show.</summary>
    public const string ConnectionVariable = "ACTORTRAINER_JOURNAL";

    /// <summary>Opens the journal and returns its HOCON.</summary>
    /// <param name="kind">Which one.</param>
    /// <param name="connection">
    /// SQLite: its file, empty for journal.db in <paramref name="folder"/>. PostgreSQL: connection string, empty to take that of <see cref="ConnectionVariable"/>.
    /// </param>
    /// <param name="folder">Folder of the node.</param>
    /// <param name="environment">Reads an environment variable; null: the process's own.</param>
    /// <exception cref="RefusedException">The journal cannot be used; says why.</exception>
    public static Config Open(JournalKind kind, string connection, string folder, Func<string, string?>? environment = null)
    {
        if (kind == JournalKind.Sqlite)
        {
            return SqliteJournal.Open(connection.Length > 0 ? connection : Path.Combine(folder, "journal.db"));
        }

        var found = connection.Length > 0 ? connection : (environment ?? Environment.GetEnvironmentVariable)(ConnectionVariable) ?? "";
        return found.Length > 0
            ? PostgresJournal.Open(found)
            : throw new RefusedException(
                $"cluster.journal=postgres needs a connection string, but cluster.journal_connection and the environment variable {ConnectionVariable} are empty.");
    }
}
