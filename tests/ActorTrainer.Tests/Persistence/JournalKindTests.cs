using System.Collections.Concurrent;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Persistence;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.TestKit.Xunit2;
using Xunit;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.Persistence;

/// <summary>What holds with every journal: a run survives its process, and of two writers one is refused.</summary>
public sealed class JournalKindTests(PostgresServer server, ITestOutputHelper output) : TestKit("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"), IClassFixture<PostgresServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actortrainer-journals");
    private readonly List<ActorSystem> _systems = [];

    [Theory]
    [InlineData(JournalKind.Sqlite)]
    [InlineData(JournalKind.Postgres)]
    public async Task A_run_whose_process_was_lost_goes_on_in_another_one_to_the_same_digests(JournalKind kind)
    {
        if (Journal(kind) is not { } journal)
        {
            return;
        }

        var (reference, world, checkpoints, observer) = (new RecordingObserver(), new NumberWorld(), new NumberCheckpoints(), new RecordingObserver());
        Run(NumberRun.Services(NumberRun.Options(), new NumberWorld(), reference), Process(journal), "reference");
        var first = Process(journal);
        using var lost = new ManualResetEventSlim();
        world.Misfortune = (stage, at, _, step) =>
        {
            if (stage == 1 && at == "Update" && step == 7)
            {
                ((ExtendedActorSystem)first).Abort();
                lost.Set();
            }
        };
        Coordinator(NumberRun.Services(NumberRun.Options(), world, observer, checkpoints), first, "interrupted").Tell(new RunProtocol.Start(), ActorRefs.NoSender);
        Assert.True(lost.Wait(Patience));
        await first.WhenTerminated.WaitAsync(Patience);
        world.Misfortune = (_, _, _, _) => { };

        var outcome = Run(NumberRun.Services(NumberRun.Options(stages: 3), world, observer, checkpoints), Process(journal), "interrupted");

        Assert.Equal((OutcomeKind.Completed, 12L), (outcome.Kind, outcome.Step));
        Assert.Equal([(1, 0L), (2, 4L)], observer.Attempts);
        Assert.Equal(12, reference.Digests.Count);
        Assert.All(reference.Digests, digest => Assert.Equal(digest.Value, observer.Digests[digest.Key]));
    }

    [Theory]
    [InlineData(JournalKind.Sqlite)]
    [InlineData(JournalKind.Postgres)]
    public void Of_two_writers_of_a_number_the_second_is_refused_and_stops_and_leaves_nothing(JournalKind kind)
    {
        if (Journal(kind) is not { } journal)
        {
            return;
        }

        var (older, newer) = (Writer(journal), Writer(journal));
        Write(newer, "newer 1", expected: ["newer 1"]);
        Watch(older);

        older.Tell("older 1");
        older.Tell("older 2");

        ExpectTerminated(older, Patience);
        Write(newer, "newer 2", expected: ["newer 1", "newer 2"]);
        Write(Writer(journal), "third", expected: ["newer 1", "newer 2", "third"]);
    }

    [Theory]
    [InlineData(JournalKind.Sqlite)]
    [InlineData(JournalKind.Postgres)]
    public void A_coordinator_that_another_one_has_overtaken_stops_at_its_next_step_and_the_run_is_the_others(JournalKind kind)
    {
        if (Journal(kind) is not { } journal)
        {
            return;
        }

        var (reference, checkpoints, winner, loser) = (new RecordingObserver(), new NumberCheckpoints(), new RecordingObserver(), new RecordingObserver());
        Run(NumberRun.Services(NumberRun.Options(), new NumberWorld(), reference), Process(journal), "reference");
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var slow = new NumberWorld
        {
            Misfortune = (stage, at, _, step) =>
            {
                if (stage == 1 && at == "Update" && step == 7)
                {
                    reached.Set();
                    goOn.Wait(Patience);
                }
            },
        };
        var overtaken = Coordinator(NumberRun.Services(NumberRun.Options(), slow, loser, checkpoints), Process(journal), "two");
        overtaken.Tell(new RunProtocol.Start(), ActorRefs.NoSender);
        Assert.True(reached.Wait(Patience));
        var quick = new NumberWorld();
        foreach (var (hash, weight) in slow.Store)
        {
            quick.Store[hash] = weight;
        }

        var outcome = Run(NumberRun.Services(NumberRun.Options(), quick, winner, checkpoints), Process(journal), "two");
        Watch(overtaken);
        goOn.Set();

        ExpectTerminated(overtaken, Patience);
        Assert.Contains(loser.Notices, notice => notice.Contains("did not take event") && notice.Contains("StepRecorded"));
        Assert.InRange(loser.Steps.Count, 6, 8);
        Assert.Equal(OutcomeKind.Completed, outcome.Kind);
        Assert.Equal([(2, 4L)], winner.Attempts);
        Assert.All(winner.Digests, digest => Assert.Equal(reference.Digests[digest.Key], digest.Value));
        var again = Run(NumberRun.Services(NumberRun.Options(), quick, winner, checkpoints), Process(journal), "two");
        Assert.Contains("already complete", again.Message);
    }

    protected override void AfterAll()
    {
        _systems.ForEach(system => ((ExtendedActorSystem)system).Abort());
        Task.WaitAll([.. _systems.Select(system => system.WhenTerminated)], Patience);
        base.AfterAll();
        _folder.Delete(recursive: true);
    }

    private Func<Config>? Journal(JournalKind kind)
    {
        if (kind == JournalKind.Sqlite)
        {
            return () => Journals.Open(kind, "", _folder.FullName);
        }

        return server.NewDatabase(output) is { } connection ? () => Journals.Open(kind, connection, _folder.FullName) : null;
    }

    private ActorSystem Process(Func<Config> journal)
    {
        var system = ActorSystem.Create("process", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF")
            .WithFallback(journal()).WithFallback(WireSerializer.Config));
        _systems.Add(system);
        return system;
    }

    private static IActorRef Coordinator(RunServices services, ActorSystem system, string name)
    {
        var named = services with { Options = services.Options with { Name = name } };
        return system.ActorOf(Props.Create(() => new RunCoordinator(named)));
    }

    private static RunProtocol.Outcome Run(RunServices services, ActorSystem system, string name)
    {
        var coordinator = Coordinator(services, system, name);
        var outcome = coordinator.Ask<RunProtocol.Outcome>(new RunProtocol.Start(), Patience).Result;
        Assert.True(coordinator.GracefulStop(Patience).Result);
        return outcome;
    }

    private IActorRef Writer(Func<Config> journal)
    {
        var writer = Process(journal).ActorOf(Props.Create(() => new LineWriter()));
        Assert.NotNull(writer.Ask<string[]>("what", Patience).Result);
        return writer;
    }

    private static void Write(IActorRef writer, string line, string[] expected)
    {
        writer.Tell(line);
        Assert.Equal(expected, writer.Ask<string[]>("what", Patience).Result);
    }

    private sealed class LineWriter : ReceivePersistentActor
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public LineWriter()
        {
            Recover<string>(_lines.Enqueue);
            Command<string>(what => Sender.Tell(_lines.ToArray()), line => line == "what");
            Command<string>(line => Persist(line, _lines.Enqueue));
        }

        public override string PersistenceId => "lines";
    }
}
