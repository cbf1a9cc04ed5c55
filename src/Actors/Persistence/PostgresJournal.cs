using System.Net.Sockets;
using ActorTrainer.Model.Common;
using Akka.Configuration;
using Npgsql;

namespace ActorTrainer.Actors.Persistence;

/// <summary>Journal and snapshots of runs on a PostgreSQL server (Akka.Persistence.Sql), in a schema of their own.</summary>
public static class PostgresJournal
{
    /// <summary>Schema of all tables, so that the database may hold other things too.</summary>
    public const string Schema = "actortrainer";

    private const string Expected = "Host=…;Port=5432;Database=…;Username=…;Password=… (a value with ; or = stands in double quotes)";

    /// <summary>Any number will do, as long as everybody who makes the schema takes the same.</summary>
    private const long SchemaLock = 0x6163746F72;

    /// <summary>Connects, makes the schema if need be and returns the HOCON of its journal and snapshot store; the tables make themselves.</summary>
    /// <param name="connectionString">Npgsql's; time-outs and pool size are added where it has none.</param>
    /// <exception cref="RefusedException">
    /// The string cannot be read, or the server cannot be reached or written; names host and database, never the password.
    /// </exception>
    public static Config Open(string connectionString)
    {
        var complete = Complete(connectionString);
        try
        {
            using var connection = new NpgsqlConnection(complete.ConnectionString);
            connection.Open();
            if (Ask<bool>(connection, "SELECT pg_is_in_recovery()"))
            {
                throw new RefusedException($"The journal's server {Name(complete)} is a standby, which cannot be written; name the primary in cluster.journal_connection.");
            }

            MakeSchema(connection);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException or IOException or InvalidOperationException or ArgumentException)
        {
            throw new RefusedException($"The journal on {Name(complete)} cannot be used: {Reason(e)}. Is the server up, and is cluster.journal_connection right?", e);
        }

        return SqlPlugins.Config(complete.ConnectionString, "PostgreSQL.15", Schema);
    }

    /// <summary>The connection string with time-outs (seconds) and pool size where it has none.</summary>
    /// <exception cref="RefusedException">It cannot be read.</exception>
    internal static NpgsqlConnectionStringBuilder Complete(string connectionString)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            // The exception may quote a piece of a password, so neither its text nor itself goes on.
            throw new RefusedException($"cluster.journal_connection cannot be read; expected {Expected}.");
        }

        if (string.IsNullOrEmpty(builder.Host))
        {
            throw new RefusedException($"cluster.journal_connection names no host; expected {Expected}.");
        }

        builder.ApplicationName ??= "actortrainer";
        Default("Timeout", () => builder.Timeout = 10);
        Default("Command Timeout", () => builder.CommandTimeout = 10);
        Default("Keepalive", () => builder.KeepAlive = 10);
        Default("Maximum Pool Size", () => builder.MaxPoolSize = Math.Max(builder.MinPoolSize, 10));
        return builder;

        void Default(string keyword, Action set)
        {
            if (!builder.ShouldSerialize(keyword))
            {
                set();
            }
        }
    }

    /// <summary>Nodes that start together wait for each other; whoever may not make schemas can use one that is there.</summary>
    private static void MakeSchema(NpgsqlConnection connection)
    {
        using var transaction = connection.BeginTransaction();
        Ask<object>(connection, $"SELECT pg_advisory_xact_lock({SchemaLock})");
        if (!Ask<bool>(connection, $"SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '{Schema}')"))
        {
            using var make = new NpgsqlCommand($"CREATE SCHEMA {Schema}", connection);
            make.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    private static T Ask<T>(NpgsqlConnection connection, string question)
    {
        using var command = new NpgsqlCommand(question, connection);
        return (T)command.ExecuteScalar()!;
    }

    private static string Name(NpgsqlConnectionStringBuilder builder)
    {
        var port = builder.Host!.Contains(':', StringComparison.Ordinal) ? "" : $":{builder.Port}";
        return $"PostgreSQL {builder.Host}{port}, database '{builder.Database ?? builder.Username}', user '{builder.Username}'";
    }

    private static string Reason(Exception e) => e switch
    {
        PostgresException refused => $"{refused.MessageText} ({refused.SqlState})",
        { InnerException: { } inner } when inner.Message != e.Message => $"{e.Message.TrimEnd('.')}: {Reason(inner)}",
        _ => e.Message.TrimEnd('.'),
    };
}
