using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>A whole run whose stages live on two nodes as far as the data plane goes.</summary>
public class CrossPlaneRunTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config), "planes")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(2, ScheduleKind.GPipe, 1, false)]
    [InlineData(3, ScheduleKind.OneForwardOneBackward, 1, false)]
    [InlineData(3, ScheduleKind.Interleaved, 2, false)]
    [InlineData(4, ScheduleKind.OneForwardOneBackward, 1, true)]
    public void Weights_are_those_of_a_run_in_one_process_even_when_connections_break(int stages, ScheduleKind schedule, int chunks, bool cuts)
    {
        var (reference, observer, world) = (new RecordingObserver(), new RecordingObserver(), new NumberWorld());
        var options = NumberRun.Options(stages, schedule, chunks);
        Run(NumberRun.Services(options, new NumberWorld(), reference));
        using var one = new PlaneNode(new NumberPayloadReader());
        using var two = new PlaneNode(new NumberPayloadReader());
        PlaneNode[] nodes = [one, two];
        if (cuts)
        {
            world.Misfortune = (stage, what, microBatch, step) =>
            {
                if (stage == 2 && what == "Forward" && microBatch == 1)
                {
                    nodes[step % 2].Network.CutAll();
                }
            };
        }

        var services = NumberRun.Services(options, world, observer);
        Func<int, Props> stageProps = stage =>
        {
            var settings = new StageSettings(nodes[stage % 2].Plane, SharedObjects.Instance, services.Clock);
            return Props.Create(() => new StageActor(settings, new NumberStage(world), $"stage-{stage}"));
        };
        var parts = stages * chunks;
        IReadOnlyList<int> partSizes = [.. Enumerable.Range(0, parts).Select(i => NumberRun.Units / parts + (i < NumberRun.Units % parts ? 1 : 0))];
        IReadOnlyList<string> addresses = [.. Enumerable.Range(0, stages).Select(stage => nodes[stage % 2].Address)];
        Run(services with { Plane = two.Plane, Crew = Props.Create(() => new PlaneCrew(stageProps, partSizes, addresses)) });

        Assert.Equal(reference.Digests.Keys.Order(), observer.Digests.Keys.Order());
        Assert.All(reference.Digests.Keys, step => Assert.Equal(reference.Digests[step], observer.Digests[step]));
        Assert.Single(observer.Attempts);
        Assert.True(one.Plane.Counters.FramesReceived > 0 && two.Plane.Counters.FramesReceived > 0);
        Assert.Equal(cuts, one.Plane.Counters.Resumed + two.Plane.Counters.Resumed > 0);
    }

    private void Run(RunServices services)
    {
        var named = services with { Options = services.Options with { Name = Guid.NewGuid().ToString("N") } };
        var coordinator = Sys.ActorOf(Props.Create(() => new RunCoordinator(named)));
        coordinator.Tell(new RunProtocol.Start(), TestActor);
        Assert.Equal(OutcomeKind.Completed, ExpectMsg<RunProtocol.Outcome>(Patience).Kind);
        Watch(coordinator);
        Sys.Stop(coordinator);
        ExpectTerminated(coordinator, Patience);
    }

    /// <summary>Stage actors of this process under the data-plane addresses of several nodes.</summary>
    private sealed class PlaneCrew : ReceiveActor
    {
        public PlaneCrew(Func<int, Props> stageProps, IReadOnlyList<int> partSizes, IReadOnlyList<string> addresses)
        {
            var seats = addresses.Select((address, stage) => new CrewProtocol.Seat(Context.ActorOf(stageProps(stage)), "here", address, [])).ToList();
            Receive<CrewProtocol.Assemble>(assemble => Sender.Tell(
                new CrewProtocol.Assembled(assemble.Run, assemble.Attempt, partSizes, seats, new Dictionary<string, IReadOnlyList<string>>())));
            ReceiveAny(_ => { });
        }
    }
}
