using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Tests.Nodes;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Actors;

/// <summary>One stage actor between a probe that plays coordinator and neighbours.</summary>
public class StageActorTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly NumberWorld _world = new();

    [Fact]
    public void Transfers_that_arrive_before_their_step_are_kept_for_it()
    {
        var stage = MiddleStage(out var next);
        stage.Tell(Activation(attempt: 1, step: 1, microBatch: 0));
        stage.Tell(Activation(attempt: 1, step: 2, microBatch: 0));

        stage.Tell(Step(1), TestActor);

        next.ExpectMsg<Arrived>(a => a.Key.Kind == TransferKind.Activation && a.Key.Step == 1, Patience);
        next.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void Transfers_out_of_order_are_used_in_order()
    {
        var stage = MiddleStage(out var next);
        stage.Tell(Step(1, microBatches: 3), TestActor);
        foreach (var microBatch in new[] { 2, 1, 0 })
        {
            stage.Tell(Activation(1, 1, microBatch));
        }

        // The middle one of three stages sends two activations before it needs a gradient.
        Assert.Equal([0, 1], Enumerable.Range(0, 2).Select(_ => next.ExpectMsg<Arrived>(Patience).Key.MicroBatch));
    }

    [Fact]
    public void Stale_and_repeated_transfers_are_freed_and_do_not_move_the_step()
    {
        var stage = MiddleStage(out var next, attempt: 2);
        stage.Tell(Step(5, attempt: 2), TestActor);
        var oldAttempt = Activation(1, 5, 0);
        var oldStep = Activation(2, 4, 0);
        var otherRun = Activation(2, 5, 0, run: "other");
        var first = Activation(2, 5, 1);
        var repeated = Activation(2, 5, 1);
        foreach (var arrived in new[] { oldAttempt, oldStep, otherRun, first, repeated })
        {
            stage.Tell(arrived);
        }

        AwaitAssert(() => Assert.All(new[] { oldAttempt, oldStep, otherRun, repeated }, a => Assert.True(((NumberPayload)a.Payload).IsDisposed)), Patience);
        Assert.False(((NumberPayload)first.Payload).IsDisposed);
        next.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public void A_status_is_given_while_the_thread_computes()
    {
        using var forward = new HeldForward(_world);
        var stage = MiddleStage(out _);
        stage.Tell(Step(1), TestActor);
        stage.Tell(Activation(1, 1, 0));
        Assert.True(forward.Entered.Wait(Patience));

        stage.Tell(new StageProtocol.AskStatus("r", 1), TestActor);

        var status = ExpectMsg<StageProtocol.Status>(Patience);
        forward.Release.Set();
        Assert.True(status.Busy);
        Assert.Equal("computes Forward(0)", status.Text);
    }

    [Fact]
    public void A_long_instruction_is_no_stall_as_long_as_it_makes_progress()
    {
        using var forward = new HeldForward(_world);
        var time = new ManualTime();
        var stage = MiddleStage(out _, time: time);
        stage.Tell(Step(1), TestActor);
        stage.Tell(Activation(1, 1, 0));
        Assert.True(forward.Entered.Wait(Patience));

        var statuses = new List<StageProtocol.Status>();
        foreach (var progress in new[] { 1, 2, 2, 2, 3 })
        {
            _world.Progress = progress;
            time.Advance(TimeSpan.FromSeconds(100));
            stage.Tell(new StageProtocol.AskStatus("r", 1), TestActor);
            statuses.Add(ExpectMsg<StageProtocol.Status>(Patience));
        }

        forward.Release.Set();
        Assert.Equal([100, 200, 300, 400, 500], statuses.Select(status => status.Seconds));
        Assert.Equal([0, 0, 100, 200, 0], statuses.Select(status => status.Silent));
        var verdicts = statuses.Select(status => StallVerdict.Judge(new Dictionary<int, StageProtocol.Status> { [0] = status }, 1, timeout: 120)).ToList();
        Assert.Contains("computes Forward(0) (400 s)", verdicts[3]);
        Assert.All(verdicts.Where((_, i) => i != 3), Assert.Null);
    }

    [Fact]
    public void A_new_attempt_drops_the_step_under_way_and_what_it_still_computes()
    {
        using var forward = new HeldForward(_world);
        var stage = MiddleStage(out var next);
        stage.Tell(Step(1), TestActor);
        stage.Tell(Activation(1, 1, 0));
        Assert.True(forward.Entered.Wait(Patience));

        stage.Tell(Prepare(attempt: 2), TestActor);
        stage.Tell(new StageProtocol.AskStatus("r", 2), TestActor);
        ExpectMsg<StageProtocol.Status>(Patience); // it has heard of the new attempt before the old forward ends
        forward.Release.Set();
        ExpectMsg<StageProtocol.Ready>(r => r.Attempt == 2, Patience);
        stage.Tell(Step(1, attempt: 2), TestActor);
        stage.Tell(Activation(2, 1, 0));

        next.ExpectMsg<Arrived>(a => a.Key.Attempt == 2, Patience);
    }

    [Fact]
    public void A_failed_instruction_is_reported_with_step_instruction_and_reason()
    {
        _world.Misfortune = (_, what, _, _) =>
        {
            if (what == "Forward")
            {
                throw new InvalidOperationException("broken");
            }
        };
        var stage = MiddleStage(out _);
        stage.Tell(Step(3), TestActor);
        stage.Tell(Activation(1, 3, 0));

        var failed = ExpectMsg<StageProtocol.Failed>(Patience);

        Assert.Equal((3L, 1, "Forward(0)"), (failed.Step, failed.Stage, failed.Doing));
        Assert.Contains("broken", failed.Reason);
    }

    private static StageProtocol.Prepare Prepare(int attempt = 1) => new(
        "r", attempt, 1, 3, [1, 1, 1], "", new Dictionary<string, string>(), ScheduleKind.OneForwardOneBackward, 30, ["", "", ""],
        new Dictionary<string, IReadOnlyList<string>>(), []);

    private static StageProtocol.RunStep Step(long step, int attempt = 1, int microBatches = 2) =>
        new("r", attempt, step, Phase.Train, microBatches, 1, false, false);

    private static Arrived Activation(int attempt, long step, int microBatch, string run = "r") =>
        new(new TransferKey(run, attempt, step, Phase.Train, TransferKind.Activation, microBatch, 1), new NumberPayload(2));

    private IActorRef MiddleStage(out TestProbe next, int attempt = 1, TimeProvider? time = null)
    {
        var plane = new LocalDataPlane();
        next = CreateTestProbe();
        plane.Join("r", attempt, 0, CreateTestProbe(), []);
        plane.Join("r", attempt, 2, next, []);
        var settings = new StageSettings(plane, SharedObjects.Instance, new RunClock(time ?? TimeProvider.System));
        var stage = Sys.ActorOf(Props.Create(() => new StageActor(settings, new NumberStage(_world), "stage-1")));
        stage.Tell(Prepare(attempt), TestActor);
        ExpectMsg<StageProtocol.Ready>(Patience);
        return stage;
    }

    /// <summary>The first forward stands still until it is released.</summary>
    private sealed class HeldForward : IDisposable
    {
        public HeldForward(NumberWorld world) => world.Misfortune = (_, what, _, _) =>
        {
            if (what == "Forward" && !Entered.IsSet)
            {
                Entered.Set();
                Release.Wait(Patience);
            }
        };

        public ManualResetEventSlim Entered { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public void Dispose()
        {
            Entered.Dispose();
            Release.Dispose();
        }
    }
}
