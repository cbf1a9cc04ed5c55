using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Persistence;
using ActorTrainer.Model.Common;
using Npgsql;
using Xunit;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.Persistence;

public sealed class PostgresJournalTests(PostgresServer server, ITestOutputHelper output) : IClassFixture<PostgresServer>
{
    [Fact]
    public void Time_outs_and_pool_size_are_added_where_there_are_none()
    {
        var plain = PostgresJournal.Complete("Host=db;Database=runs;Username=me");
        var given = PostgresJournal.Complete("Host=db;Database=runs;Username=me;Timeout=3;Command Timeout=60;Keepalive=0;Maximum Pool Size=4");

        Assert.Equal((10, 10, 10, 10), (plain.Timeout, plain.CommandTimeout, plain.KeepAlive, plain.MaxPoolSize));
        Assert.Equal((3, 60, 0, 4), (given.Timeout, given.CommandTimeout, given.KeepAlive, given.MaxPoolSize));
    }

    [Theory]
    [InlineData("postgres://me:hunter2@db/runs")]
    [InlineData("Host=db;Password=a;hunter2=b")]
    [InlineData("Host=db;Port=hunter2")]
    [InlineData("Password=hunter2")]
    public void A_connection_string_that_cannot_be_read_is_refused_and_not_repeated(string connection)
    {
        var refusal = Assert.Throws<RefusedException>(() => PostgresJournal.Open(connection));

        Assert.Contains("cluster.journal_connection", refusal.Message);
        Assert.Contains("Host=", refusal.Message);
        Assert.DoesNotContain("hunter2", refusal.ToString());
    }

    [Fact]
    public void A_server_that_is_not_there_is_refused_with_its_name_and_without_the_password()
    {
        var refusal = Assert.Throws<RefusedException>(() => PostgresJournal.Open("Host=127.0.0.1;Port=1;Database=runs;Username=me;Password=hunter2"));

        Assert.Contains("127.0.0.1:1", refusal.Message);
        Assert.Contains("database 'runs'", refusal.Message);
        Assert.Contains("refused", refusal.Message);
        Assert.DoesNotContain("hunter2", refusal.ToString());
    }

    [Fact]
    public void A_wrong_password_or_database_is_refused_with_the_servers_words()
    {
        if (server.NewDatabase(output) is not { } connection)
        {
            return;
        }

        var password = Assert.Throws<RefusedException>(() => PostgresJournal.Open(server.ConnectionTo("postgres", "hunter2")));
        var database = Assert.Throws<RefusedException>(() => PostgresJournal.Open(server.ConnectionTo("nowhere")));

        Assert.Contains("password authentication failed", password.Message);
        Assert.DoesNotContain("hunter2", password.ToString());
        Assert.Contains("\"nowhere\" does not exist", database.Message);
        Assert.DoesNotContain(PostgresServer.Password, database.ToString());
    }

    [Fact]
    public void The_schema_is_made_once_even_when_nodes_start_together_and_may_be_given_to_a_user_who_cannot_make_one()
    {
        if (server.NewDatabase(output) is not { } connection)
        {
            return;
        }

        Parallel.For(0, 4, _ => PostgresJournal.Open(connection));
        using (var admin = new NpgsqlConnection(connection))
        {
            admin.Open();
            var user = $"plain{Guid.NewGuid():N}";
            using var command = new NpgsqlCommand($"CREATE ROLE {user} LOGIN PASSWORD 'plain'; GRANT ALL ON SCHEMA {PostgresJournal.Schema} TO {user}", admin);
            command.ExecuteNonQuery();
            PostgresJournal.Open(new NpgsqlConnectionStringBuilder(connection) { Username = user, Password = "plain" }.ConnectionString);
        }
    }

    [Fact]
    public void The_environment_gives_the_connection_when_the_configuration_has_none()
    {
        var asked = new List<string>();
        var missing = Assert.Throws<RefusedException>(() => Journals.Open(JournalKind.Postgres, "", "", _ => null));
        var found = Assert.Throws<RefusedException>(() => Journals.Open(JournalKind.Postgres, "", "", name =>
        {
            asked.Add(name);
            return "Host=127.0.0.1;Port=1;Database=fromenvironment;Username=me";
        }));

        Assert.Contains("ACTORTRAINER_JOURNAL", missing.Message);
        Assert.Equal(["ACTORTRAINER_JOURNAL"], asked);
        Assert.Contains("fromenvironment", found.Message);
    }
}
