using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Protocol;

/// <summary>Single messages that come again, come late or get lost.</summary>
public class RepeatedCommandTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly NumberWorld _world = new();

    [Fact]
    public void An_update_told_again_is_answered_again_and_applied_once()
    {
        var stage = OnlyStage();
        var update = new StageProtocol.Update("r", 1, 1, 0.1, 1, false);
        RunToGradients(stage);
        stage.Tell(update, TestActor);
        var done = ExpectMsg<StageProtocol.StepDone>(Patience);

        stage.Tell(update, TestActor);

        Assert.Equal(done.Digests, ExpectMsg<StageProtocol.StepDone>(Patience).Digests);
        Assert.Single(_world.Calls, call => call.What == "Update");
    }

    [Fact]
    public void Gradients_are_reported_again_until_the_update_comes()
    {
        var stage = OnlyStage();
        var first = RunToGradients(stage);

        stage.Tell(Step(), TestActor);

        Assert.Equal(first.Loss, ExpectMsg<StageProtocol.GradientsReady>(Patience).Loss);
    }

    [Fact]
    public void A_stage_whose_update_failed_answers_every_further_command_of_the_attempt_with_that()
    {
        _world.Misfortune = (_, what, _, _) =>
        {
            if (what == "Update")
            {
                throw new InvalidOperationException("broken");
            }
        };
        var stage = OnlyStage();
        RunToGradients(stage);
        var update = new StageProtocol.Update("r", 1, 1, 0.1, 1, false);
        stage.Tell(update, TestActor);
        var failed = ExpectMsg<StageProtocol.Failed>(Patience);

        foreach (var command in new IAttemptMessage[] { update, Step(), Step(2), new StageProtocol.Save("r", 1, 1), Prepare() })
        {
            stage.Tell(command, TestActor);
            Assert.Equal(failed, ExpectMsg<StageProtocol.Failed>(Patience));
        }

        stage.Tell(Prepare(attempt: 2), TestActor);
        ExpectMsg<StageProtocol.Ready>(ready => ready.Attempt == 2, Patience);
    }

    [Fact]
    public void A_stage_that_lost_a_peer_does_not_begin_the_next_step_as_if_nothing_had_been()
    {
        var stage = OnlyStage();
        RunToGradients(stage);
        stage.Tell(new LinkLost("r", 1, 0, "cut"));
        ExpectMsg<StageProtocol.LinkDown>(Patience);

        stage.Tell(Step(2), TestActor);

        Assert.Equal("cut", ExpectMsg<StageProtocol.LinkDown>(Patience).Reason);
    }

    [Fact]
    public void Gradients_that_come_again_during_the_evaluation_after_their_step_change_nothing()
    {
        var (coordinator, stage) = Coordinator(out _, options => options with { Train = options.Train with { Budget = 2, EvaluateEvery = 1 } });
        var prepare = stage.ExpectMsg<StageProtocol.Prepare>(Patience);
        Tell(new StageProtocol.Ready(prepare.Run, 1, 0));
        Assert.Equal(Phase.Train, stage.ExpectMsg<StageProtocol.RunStep>(Patience).Phase);
        var gradients = new StageProtocol.GradientsReady(prepare.Run, 1, 1, 0, new Dictionary<int, double[]> { [0] = [1.0] }, 2, -1);
        Tell(gradients);
        stage.ExpectMsg<StageProtocol.Update>(Patience);
        Tell(new StageProtocol.StepDone(prepare.Run, 1, 1, Phase.Train, 0, 1, 0, 1, null, [], []));
        Assert.Equal(Phase.Evaluate, stage.ExpectMsg<StageProtocol.RunStep>(Patience).Phase);

        Tell(gradients);
        Tell(new StageProtocol.StepDone(prepare.Run, 1, 1, Phase.Evaluate, 0, 1, 0, 1, new EvaluationScore(1, 1, 1), [], []));

        Assert.Equal((2L, Phase.Train), stage.ExpectMsg<StageProtocol.RunStep>(Patience) is var next ? (next.Step, next.Phase) : default);

        void Tell(object message) => coordinator.Tell(message, stage.Ref);
    }

    [Fact]
    public void A_question_for_the_status_does_not_judge_a_run_whose_stages_have_long_had_nothing_to_do()
    {
        var (coordinator, stage) = Coordinator(out var observer, options => options with { Impl = options.Impl with { StallTimeout = 0.01 } });
        var prepare = stage.ExpectMsg<StageProtocol.Prepare>(Patience);
        coordinator.Tell(new RunProtocol.AskStatus(), TestActor);
        stage.ExpectMsg<StageProtocol.AskStatus>(Patience);

        coordinator.Tell(new StageProtocol.Status(prepare.Run, 1, 0, 0, false, 1000, "has nothing to do", 1000), stage.Ref);

        Assert.Contains("has nothing to do", ExpectMsg<RunStatus>(Patience).Stages.Single());
        coordinator.Tell(new StageProtocol.Ready(prepare.Run, 1, 0), stage.Ref);
        stage.ExpectMsg<StageProtocol.RunStep>(Patience);
        Assert.Single(observer.Attempts);
    }

    [Fact]
    public void A_question_for_the_status_that_was_lost_is_asked_again()
    {
        var (coordinator, stage) = Coordinator(out _, options => options, repeat: TimeSpan.FromMilliseconds(20));
        stage.ExpectMsg<StageProtocol.Prepare>(Patience);
        coordinator.Tell(new RunProtocol.AskStatus(), TestActor);

        stage.FishForMessage(message => message is StageProtocol.AskStatus, Patience);
        stage.FishForMessage(message => message is StageProtocol.AskStatus, Patience);
    }

    [Fact]
    public void A_dealer_or_crew_that_ends_by_a_failure_of_its_own_is_replaced_with_the_next_attempt()
    {
        var observer = new RecordingObserver();
        var failures = 0;
        var services = NumberRun.Services(NumberRun.Options(), _world, observer, wrap: plane => new FailingJoin(plane, () => Interlocked.Increment(ref failures) == 1));
        var coordinator = Sys.ActorOf(Props.Create(() => new RunCoordinator(services)));
        _world.Misfortune = (stage, what, _, step) =>
        {
            if (stage == 0 && what == "Update" && step == 6)
            {
                _world.Misfortune = (_, _, _, _) => { };
                Sys.ActorSelection(coordinator.Path / "crew").Tell(PoisonPill.Instance);
            }
        };

        coordinator.Tell(new RunProtocol.Start(), TestActor);

        Assert.Equal(OutcomeKind.Completed, ExpectMsg<RunProtocol.Outcome>(Patience).Kind);
        Assert.Equal([(1, 0L), (2, 0L), (3, 4L)], observer.Attempts);
        Assert.Contains(observer.Notices, notice => notice.Contains("the batch dealer ended unexpectedly"));
        Assert.Contains(observer.Notices, notice => notice.Contains("the crew ended unexpectedly"));
    }

    private static StageProtocol.Prepare Prepare(int attempt = 1) => new(
        "r", attempt, 0, 1, [2], "", new Dictionary<string, string>(), ScheduleKind.OneForwardOneBackward, 30, [""],
        new Dictionary<string, IReadOnlyList<string>>(), []);

    private static StageProtocol.RunStep Step(long step = 1) => new("r", 1, step, Phase.Train, 1, 1, true, false);

    private IActorRef OnlyStage()
    {
        var settings = new StageSettings(new LocalDataPlane(), SharedObjects.Instance, new RunClock(TimeProvider.System));
        var stage = Sys.ActorOf(Props.Create(() => new StageActor(settings, new NumberStage(_world), "stage-0")));
        stage.Tell(Prepare(), TestActor);
        ExpectMsg<StageProtocol.Ready>(Patience);
        return stage;
    }

    private StageProtocol.GradientsReady RunToGradients(IActorRef stage)
    {
        stage.Tell(Step(), TestActor);
        foreach (var kind in new[] { TransferKind.Activation, TransferKind.Targets })
        {
            stage.Tell(new Arrived(new TransferKey("r", 1, 1, Phase.Train, kind, 0, 0), new NumberPayload(2)));
        }

        return ExpectMsg<StageProtocol.GradientsReady>(Patience);
    }

    /// <summary>A coordinator that has just assembled a crew of one stage, played by a probe.</summary>
    private (IActorRef Coordinator, TestProbe Stage) Coordinator(
        out RecordingObserver observer, Func<RunOptions, RunOptions> change, TimeSpan? repeat = null)
    {
        var (stage, crew, recording) = (CreateTestProbe(), CreateTestProbe(), new RecordingObserver());
        observer = recording;
        var services = NumberRun.Services(change(NumberRun.Options(stages: 1)), _world, recording) with
        {
            Crew = Props.Create(() => new Forwarder(crew.Ref)),
            RepeatAfter = repeat ?? TimeSpan.FromMinutes(1),
        };
        var coordinator = Sys.ActorOf(Props.Create(() => new RunCoordinator(services)));
        coordinator.Tell(new RunProtocol.Start(), TestActor);
        var assemble = crew.ExpectMsg<CrewProtocol.Assemble>(Patience);
        services.Plane.Join(assemble.Run, 1, 0, CreateTestProbe().Ref, []);
        crew.Reply(new CrewProtocol.Assembled(
            assemble.Run, 1, [NumberRun.Units], [new CrewProtocol.Seat(stage.Ref, "here", "", [])], new Dictionary<string, IReadOnlyList<string>>()));
        return (coordinator, stage);
    }

    private sealed class Forwarder : ReceiveActor
    {
        public Forwarder(IActorRef target) => ReceiveAny(target.Forward);
    }

    private sealed class FailingJoin(IDataPlane plane, Func<bool> fails) : IDataPlane
    {
        public void Join(string run, int attempt, int stage, IActorRef receiver, IReadOnlyList<string> peers)
        {
            if (stage == IDataPlane.Dealer && fails())
            {
                throw new FormatException("no address");
            }

            plane.Join(run, attempt, stage, receiver, peers);
        }

        public void Send(int from, int to, TransferKey key, IPayload payload) => plane.Send(from, to, key, payload);
    }
}
