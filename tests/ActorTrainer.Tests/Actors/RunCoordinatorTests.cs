using System.Collections.Concurrent;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Akka.Actor;
using Akka.Actor.Dsl;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Actors;

public class RunCoordinatorTests() : TestKit(
    ConfigurationFactory.ParseString(
        """
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.actor.serialize-messages = on
        """).WithFallback(WireSerializer.Config), "coordinator")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(1, ScheduleKind.OneForwardOneBackward, 1)]
    [InlineData(2, ScheduleKind.GPipe, 1)]
    [InlineData(4, ScheduleKind.OneForwardOneBackward, 1)]
    [InlineData(8, ScheduleKind.OneForwardOneBackward, 1)]
    [InlineData(2, ScheduleKind.Interleaved, 2)]
    [InlineData(3, ScheduleKind.Interleaved, 2)]
    public void Weights_after_every_step_do_not_depend_on_stages_or_schedule(int stages, ScheduleKind schedule, int chunks)
    {
        var reference = new RecordingObserver();
        var observer = new RecordingObserver();
        Assert.Equal(OutcomeKind.Completed, Run("reference", NumberRun.Services(NumberRun.Options(stages: 2), new NumberWorld(), reference)).Kind);

        var outcome = Run("other", NumberRun.Services(NumberRun.Options(stages, schedule, chunks), new NumberWorld(), observer));

        Assert.Equal((OutcomeKind.Completed, 12L, "export12"), (outcome.Kind, outcome.Step, outcome.Export));
        AssertSameDigests(reference, observer);
        Assert.Equal([2, 2, 4, 4, 6, 6, 7, 7, 7, 7, 7, 7], observer.Steps.Select(s => s.Sequences));
        Assert.Equal(4, observer.Steps.Last().MicroBatches);
        Assert.Equal([6L, 12L], observer.Evaluations.Select(e => e.Step));
        Assert.Equal(reference.Evaluations.Select(e => e.Loss), observer.Evaluations.Select(e => e.Loss));
    }

    [Theory]
    [InlineData("Forward", 1)]
    [InlineData("Backward", 0)]
    [InlineData("Update", -1)]
    [InlineData("Save", -1)]
    public void A_stage_that_fails_once_is_rolled_back_and_the_run_ends_with_the_same_weights(string what, int microBatch)
    {
        var reference = new RecordingObserver();
        Run("reference", NumberRun.Services(NumberRun.Options(), new NumberWorld(), reference));
        var failed = 0;
        var world = new NumberWorld
        {
            Misfortune = (stage, at, mb, step) =>
            {
                if (stage == 1 && at == what && mb == microBatch && step >= 6 && Interlocked.Exchange(ref failed, 1) == 0)
                {
                    throw new InvalidOperationException("planned");
                }
            },
        };
        var observer = new RecordingObserver();

        var outcome = Run("failing", NumberRun.Services(NumberRun.Options(), world, observer));

        Assert.Equal(OutcomeKind.Completed, outcome.Kind);
        Assert.Equal(2, observer.Attempts.Count);
        Assert.Contains(observer.Notices, n => n.Contains("stage 1") && n.Contains("planned"));
        AssertSameDigests(reference, observer);
    }

    [Fact]
    public void A_step_that_always_fails_stops_the_run_with_stage_and_reason()
    {
        var world = new NumberWorld
        {
            Misfortune = (stage, at, mb, step) =>
            {
                if (stage == 0 && at == "Backward" && mb == 0 && step == 6)
                {
                    throw new InvalidOperationException("poison");
                }
            },
        };
        var observer = new RecordingObserver();

        var outcome = Run("poisoned", NumberRun.Services(NumberRun.Options(), world, observer));

        Assert.Equal((OutcomeKind.Failed, 4L), (outcome.Kind, outcome.Step));
        Assert.Contains("stage 0 failed in step 6", outcome.Message);
        Assert.Contains("poison", outcome.Message);
        Assert.Equal(3, observer.Attempts.Count);
    }

    [Fact]
    public void An_infinite_loss_stops_the_run_and_names_step_and_stage()
    {
        var world = new NumberWorld { LossFactor = step => step == 5 ? double.PositiveInfinity : 1 };

        var outcome = Run("infinite", NumberRun.Services(NumberRun.Options(), world, new RecordingObserver()));

        Assert.Equal(OutcomeKind.Failed, outcome.Kind);
        Assert.Contains("step 5", outcome.Message);
        Assert.Contains("stage 1", outcome.Message);
        Assert.Contains("train.non_finite=skip", outcome.Message);
    }

    [Fact]
    public void An_infinite_loss_is_skipped_and_counted_when_the_policy_says_so()
    {
        var options = NumberRun.Options();
        options = options with { Train = options.Train with { NonFinite = NonFinitePolicy.Skip } };
        var world = new NumberWorld { LossFactor = step => step == 5 ? double.NaN : 1 };
        var observer = new RecordingObserver();

        var outcome = Run("skipping", NumberRun.Services(options, world, observer));

        Assert.Equal(OutcomeKind.Completed, outcome.Kind);
        Assert.Equal([5L], observer.Steps.Where(s => s.Skipped).Select(s => s.Step));
        Assert.Equal(observer.Digests[4], observer.Digests[5]);
        Assert.NotEqual(observer.Digests[5], observer.Digests[6]);
    }

    [Fact]
    public void A_stall_names_every_stage_its_micro_batch_and_whom_it_waits_for()
    {
        using var release = new ManualResetEventSlim();
        var options = NumberRun.Options(stages: 3);
        options = options with { Impl = options.Impl with { StallTimeout = 0.3, MaxRetries = 0 } };
        var world = new NumberWorld
        {
            Misfortune = (stage, at, mb, step) =>
            {
                if (stage == 1 && at == "Forward" && mb == 0 && step == 3)
                {
                    release.Wait();
                }
            },
        };

        var outcome = Run("stalled", NumberRun.Services(options, world, new RecordingObserver()));
        release.Set();

        Assert.Equal(OutcomeKind.Failed, outcome.Kind);
        Assert.Contains("step 3 has stalled", outcome.Message);
        Assert.Contains("stage 1 computes Forward(0)", outcome.Message);
        Assert.Contains("stage 2 waits at ReceiveActivation(0) for Activation of micro-batch 0 from stage 1", outcome.Message);
    }

    [Fact]
    public void Asking_a_run_all_the_time_what_it_does_disturbs_nothing()
    {
        var observer = new RecordingObserver();
        var world = new NumberWorld();
        var coordinator = ActorFor("asked", NumberRun.Services(NumberRun.Options(stages: 3, steps: 60), world, observer));
        var answers = new ConcurrentQueue<RunStatus>();
        var curious = Sys.ActorOf(dsl => dsl.Receive<RunStatus>((status, context) =>
        {
            answers.Enqueue(status);
            context.Sender.Tell(new RunProtocol.AskStatus());
        }));
        world.Misfortune = (stage, at, _, step) =>
        {
            if (stage == 0 && at == "Update" && step == 2)
            {
                coordinator.Tell(new RunProtocol.AskStatus(), curious);
            }
        };
        coordinator.Tell(new RunProtocol.Start(), TestActor);

        Assert.Equal(OutcomeKind.Completed, ExpectMsg<RunProtocol.Outcome>(Patience).Kind);
        Sys.Stop(curious);
        Assert.Equal([(1, 0L)], observer.Attempts);
        Assert.Contains(answers, status => status.Stages.Any(stage => stage.Contains(" waits at ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_stopped_run_goes_on_where_it_stopped_and_ends_with_the_same_weights()
    {
        var reference = new RecordingObserver();
        Run("reference", NumberRun.Services(NumberRun.Options(), new NumberWorld(), reference));
        var world = new NumberWorld();
        var checkpoints = new NumberCheckpoints();
        var observer = new RecordingObserver();
        var first = ActorFor("stopped", NumberRun.Services(NumberRun.Options(), world, observer, checkpoints));
        world.Misfortune = (stage, at, mb, step) =>
        {
            if (stage == 0 && at == "Update" && step == 6)
            {
                first.Tell(new RunProtocol.Stop());
            }
        };
        first.Tell(new RunProtocol.Start(), TestActor);
        var stopped = ExpectMsg<RunProtocol.Outcome>(Patience);
        Watch(first);
        Sys.Stop(first);
        ExpectTerminated(first);

        var completed = Run("stopped", NumberRun.Services(NumberRun.Options(stages: 4), world, observer, checkpoints));

        Assert.Equal((OutcomeKind.Stopped, 6L), (stopped.Kind, stopped.Step));
        Assert.Equal((OutcomeKind.Completed, 12L), (completed.Kind, completed.Step));
        Assert.Equal([(1, 0L), (2, 6L)], observer.Attempts);
        AssertSameDigests(reference, observer);
    }

    [Fact]
    public void A_coordinator_killed_between_checkpoints_replays_from_the_last_one()
    {
        var reference = new RecordingObserver();
        Run("reference", NumberRun.Services(NumberRun.Options(), new NumberWorld(), reference));
        var world = new NumberWorld();
        var checkpoints = new NumberCheckpoints();
        var observer = new RecordingObserver();
        var first = ActorFor("killed", NumberRun.Services(NumberRun.Options(), world, observer, checkpoints));
        Watch(first);
        world.Misfortune = (stage, at, mb, step) =>
        {
            if (stage == 1 && at == "Update" && step == 7)
            {
                Sys.Stop(first);
            }
        };
        first.Tell(new RunProtocol.Start(), ActorRefs.NoSender);
        ExpectTerminated(first, Patience);
        world.Misfortune = (_, _, _, _) => { };

        var completed = Run("killed", NumberRun.Services(NumberRun.Options(), world, observer, checkpoints));

        Assert.Equal(OutcomeKind.Completed, completed.Kind);
        Assert.Equal([(1, 0L), (2, 4L)], observer.Attempts);
        AssertSameDigests(reference, observer);
    }

    [Fact]
    public void A_run_of_the_same_name_with_other_settings_is_refused_with_the_difference()
    {
        var options = NumberRun.Options();
        Run("taken", NumberRun.Services(options, new NumberWorld(), new RecordingObserver()));

        var outcome = Run("taken", NumberRun.Services(options with { Seed = 5 }, new NumberWorld(), new RecordingObserver()));

        Assert.Equal(OutcomeKind.Refused, outcome.Kind);
        Assert.Contains("seed: 0 in the run, 5 now", outcome.Message);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_is_tried_again_from_the_one_before()
    {
        var reference = new RecordingObserver();
        Run("reference", NumberRun.Services(NumberRun.Options(), new NumberWorld(), reference));
        var failed = false;
        var checkpoints = new NumberCheckpoints
        {
            OnCommit = position =>
            {
                if (position.Step == 8 && !failed)
                {
                    failed = true;
                    throw new IOException("disk full");
                }
            },
        };
        var observer = new RecordingObserver();

        var outcome = Run("full", NumberRun.Services(NumberRun.Options(), new NumberWorld(), observer, checkpoints));

        Assert.Equal(OutcomeKind.Completed, outcome.Kind);
        Assert.Contains(observer.Notices, n => n.Contains("disk full"));
        AssertSameDigests(reference, observer);
    }

    [Fact]
    public void Old_checkpoints_that_are_damaged_or_cannot_be_removed_cost_a_notice_and_not_the_run()
    {
        var observer = new RecordingObserver();
        var checkpoints = new NumberCheckpoints
        {
            OnCollect = manifest => throw (manifest == "manifest4" ? new RefusedException("objects/ab is damaged") : new IOException("read-only")),
        };
        var outcome = Run("run", NumberRun.Services(NumberRun.Options(), new NumberWorld(), observer, checkpoints));
        Assert.Equal((OutcomeKind.Completed, 12L, "export12"), (outcome.Kind, outcome.Step, outcome.Export));
        Assert.Single(observer.Attempts);
        Assert.Contains(observer.Notices, n => n.Contains("could not be removed") && n.Contains("objects/ab is damaged"));
        Assert.Contains(observer.Notices, n => n.Contains("could not be removed") && n.Contains("read-only"));
    }

    [Fact]
    public void Every_stage_is_disposed_and_timed()
    {
        var world = new NumberWorld();
        var observer = new RecordingObserver();
        var coordinator = ActorFor("timed", NumberRun.Services(NumberRun.Options(), world, observer));
        Watch(coordinator);
        coordinator.Tell(new RunProtocol.Start(), TestActor);
        ExpectMsg<RunProtocol.Outcome>(Patience);
        Sys.Stop(coordinator);
        ExpectTerminated(coordinator);

        AwaitAssert(() => Assert.Equal(2, world.Disposed), Patience);
        Assert.All(observer.Steps, s => Assert.Equal([0, 1], s.Stages.Select(l => l.Stage)));
        Assert.All(observer.Steps, s => Assert.All(s.Stages, l => Assert.InRange(l.Busy, 0, l.Window)));
        Assert.Contains(observer.Spans, s => s.Instruction.Kind == InstructionKind.Backward && s.Stage == 1);
        Assert.All(observer.Spans, s => Assert.True(s.End >= s.Start));
    }

    private static void AssertSameDigests(RecordingObserver expected, RecordingObserver actual)
    {
        Assert.Equal(expected.Digests.Keys.Order(), actual.Digests.Keys.Order());
        foreach (var step in expected.Digests.Keys.Order())
        {
            Assert.Equal(expected.Digests[step], actual.Digests[step]);
        }
    }

    private IActorRef ActorFor(string name, RunServices services)
    {
        var named = services with { Options = services.Options with { Name = name } };
        return Sys.ActorOf(Props.Create(() => new RunCoordinator(named)));
    }

    private RunProtocol.Outcome Run(string name, RunServices services)
    {
        var coordinator = ActorFor(name, services);
        coordinator.Tell(new RunProtocol.Start(), TestActor);
        var outcome = ExpectMsg<RunProtocol.Outcome>(Patience);
        Watch(coordinator);
        Sys.Stop(coordinator);
        ExpectTerminated(coordinator, Patience);
        return outcome;
    }
}
