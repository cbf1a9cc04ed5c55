using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Protocol;

/// <summary>Coordinator and stages as they are, with messages between them that get lost, come twice or overtake each other.</summary>
public class MessageLossTests() : TestKit(
    ConfigurationFactory.ParseString(
        """
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.log-dead-letters = off
        akka.actor.serialize-messages = on
        """).WithFallback(WireSerializer.Config), "loss")
{
    private const int Seeds = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly string[] Misfortunes = ["Forward", "Backward", "Update", "Save", "killed"];

    [Fact]
    public async Task Whatever_messages_are_lost_doubled_or_overtaken_the_digests_are_those_of_the_undisturbed_run()
    {
        var reference = new RecordingObserver();
        Assert.Equal(OutcomeKind.Completed, (await Start(NumberRun.Services(Options(0), new NumberWorld(), reference))).Kind);
        var runs = Enumerable.Range(1, Seeds).Select(seed => (Seed: seed, Plan: Plan(seed), Observer: new RecordingObserver())).ToList();

        var outcomes = runs.Select(run => Start(Lossy(run.Seed, run.Plan, run.Observer))).ToList();
        await Task.WhenAny(Task.WhenAll(outcomes), Task.Delay(Patience));

        var troubles = runs.Zip(outcomes, (run, outcome) => Trouble(run.Seed, reference, run.Observer, outcome)).Where(trouble => trouble is not null).ToList();
        Assert.True(troubles.Count == 0, string.Join('\n', troubles));
        Assert.True(runs.Sum(run => run.Plan.Lost.Count) > 1000);
        var kinds = runs.SelectMany(run => run.Plan.Lost).Select(message => message.GetType()).ToHashSet();
        foreach (var kind in new[]
        {
            typeof(StageProtocol.Prepare), typeof(StageProtocol.Ready), typeof(StageProtocol.RunStep), typeof(StageProtocol.GradientsReady), typeof(StageProtocol.Update),
            typeof(StageProtocol.StepDone), typeof(StageProtocol.Save), typeof(StageProtocol.Saved), typeof(StageProtocol.Failed),
        })
        {
            Assert.Contains(kind, kinds);
        }
    }

    private static LossPlan Plan(int seed) => new((ulong)seed, Loss: 0.1 * (1 + seed % 3), Twice: 0.1 * (1 + seed / 3 % 3), Late: 0.3);

    private static RunOptions Options(int seed)
    {
        var (stages, schedule, chunks) = (seed % 3) switch
        {
            0 => (2, ScheduleKind.OneForwardOneBackward, 1),
            1 => (3, ScheduleKind.GPipe, 1),
            _ => (2, ScheduleKind.Interleaved, 2),
        };
        var options = NumberRun.Options(stages, schedule, chunks, steps: 9);
        return options with { Name = $"numbers{seed}", Train = options.Train with { CheckpointEvery = 3, EvaluateEvery = 2 } };
    }

    private static RunServices Lossy(int seed, LossPlan plan, RecordingObserver observer)
    {
        var (what, happened) = (Misfortunes[seed % Misfortunes.Length], 0);
        var world = new NumberWorld
        {
            Misfortune = (stage, at, _, step) =>
            {
                if (stage != 1 || step < 5 || at != (what == "killed" ? "Forward" : what) || Interlocked.Exchange(ref happened, 1) != 0)
                {
                    return;
                }

                if (what != "killed")
                {
                    throw new InvalidOperationException("planned");
                }

                plan.Stages[1].Tell(PoisonPill.Instance);
            },
        };
        var services = NumberRun.Services(Options(seed), world, observer, wrap: plane => new DoublingPlane(plane, plan));
        var crew = services.Crew;
        return services with { RepeatAfter = TimeSpan.FromMilliseconds(20), Crew = Props.Create(() => new LossyCrew(crew, plan)) };
    }

    private Task<RunProtocol.Outcome> Start(RunServices services) =>
        Sys.ActorOf(Props.Create(() => new RunCoordinator(services))).Ask<RunProtocol.Outcome>(new RunProtocol.Start(), Patience * 2);

    private static string? Trouble(int seed, RecordingObserver expected, RecordingObserver actual, Task<RunProtocol.Outcome> outcome)
    {
        var run = $"seed {seed} ({Misfortunes[seed % Misfortunes.Length]}): ";
        if (!outcome.IsCompletedSuccessfully)
        {
            return $"{run}still in step {actual.Steps.LastOrDefault()?.Step + 1} of attempt {actual.Attempts.Last().Attempt}: {string.Join("; ", actual.Notices)}";
        }

        return outcome.Result.Kind != OutcomeKind.Completed ? $"{run}{outcome.Result.Message}"
            : actual.Attempts.Count != 2 ? $"{run}{actual.Attempts.Count} attempts: {string.Join("; ", actual.Notices)}"
            : !expected.Evaluations.Select(e => (e.Step, e.Loss)).SequenceEqual(actual.Evaluations.Select(e => (e.Step, e.Loss)).Distinct()) ? $"{run}other evaluations"
            : expected.Digests.FirstOrDefault(digest => !actual.Digests[digest.Key].SequenceEqual(digest.Value)) is { Value: not null } differs ? $"{run}other weights after step {differs.Key}"
            : null;
    }
}
