using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Evaluation;

/// <summary>Director and evaluators on numbers; every message goes through its wire format.</summary>
public class EvaluationDirectorTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(5);

    private readonly NumberEvaluation.World _world = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Several_requests_queue_and_each_has_the_outputs_of_its_model(int evaluators)
    {
        var director = Director(evaluators);
        director.Tell(Ask("a", 100));
        director.Tell(Ask("b", 200));

        var answers = new[] { ExpectMsg<EvaluationProtocol.Evaluated>(Patience), ExpectMsg<EvaluationProtocol.Evaluated>(Patience) };

        Assert.Equal(Rows(100), answers.Single(a => a.Request == "a").Outputs["dev"]);
        Assert.Equal(Rows(200), answers.Single(a => a.Request == "b").Outputs["dev"]);
    }

    [Fact]
    public void An_evaluator_that_throws_is_made_anew_and_the_result_is_the_same()
    {
        var thrown = 0;
        _world.Misfortune = first =>
        {
            if (first == 4 && Interlocked.Increment(ref thrown) <= 2)
            {
                throw new InvalidOperationException("broken");
            }
        };

        Director(1).Tell(Ask("a", 100));

        Assert.Equal(Rows(100), ExpectMsg<EvaluationProtocol.Evaluated>(Patience).Outputs["dev"]);
        Assert.Equal(2, _world.Disposed);
        Assert.Equal(["100", "100", "100"], _world.Loads);
    }

    [Fact]
    public void A_job_that_fails_three_times_fails_its_request_with_the_reason_and_not_the_director()
    {
        _world.Misfortune = first =>
        {
            if (first == 4)
            {
                throw new InvalidOperationException("broken");
            }
        };
        var director = Director(2);
        director.Tell(Ask("a", 100));

        var failed = ExpectMsg<EvaluationProtocol.Failed>(Patience);
        _world.Misfortune = _ => { };
        director.Tell(Ask("b", 200));

        Assert.Equal(("a", 7L), (failed.Request, failed.Step));
        Assert.Contains("rows 5 to 8 of dev failed 3 times", failed.Reason);
        Assert.Contains("InvalidOperationException: broken", failed.Reason);
        Assert.Equal(Rows(200), ExpectMsg<EvaluationProtocol.Evaluated>(Patience).Outputs["dev"]);
    }

    [Fact]
    public async Task An_evaluator_that_is_killed_while_it_computes_is_replaced_and_the_result_is_the_same()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        _world.Misfortune = first =>
        {
            if (first == 4 && !entered.IsSet)
            {
                entered.Set();
                release.Wait(Patience);
            }
        };
        var director = Director(1);
        director.Tell(Ask("a", 100));
        Assert.True(entered.Wait(Patience));

        Sys.Stop(await Sys.ActorSelection(director.Path / "evaluator-1").ResolveOne(Patience));

        Assert.Equal(Rows(100), ExpectMsg<EvaluationProtocol.Evaluated>(Patience).Outputs["dev"]);
        release.Set();
        AwaitAssert(() => Assert.Equal(1, _world.Disposed), Patience);
    }

    [Fact]
    public void A_job_without_an_answer_is_dealt_to_a_new_evaluator_after_the_time_out()
    {
        using var release = new ManualResetEventSlim();
        var stuck = 0;
        _world.Misfortune = first =>
        {
            if (first == 4 && Interlocked.Increment(ref stuck) == 1)
            {
                release.Wait(Patience);
            }
        };

        Director(1, timeout: TimeSpan.FromMilliseconds(300)).Tell(Ask("a", 100));

        Assert.Equal(Rows(100), ExpectMsg<EvaluationProtocol.Evaluated>(Patience).Outputs["dev"]);
        release.Set();
    }

    [Fact]
    public void A_checkpoint_that_waits_gives_way_to_a_later_one_of_its_run()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        _world.Misfortune = _ =>
        {
            entered.Set();
            release.Wait(Patience);
        };
        var director = Director(1);
        director.Tell(Ask("a", 100, step: 1));
        Assert.True(entered.Wait(Patience));
        director.Tell(Ask("b", 200, step: 2));
        director.Tell(Ask("c", 300, step: 3));

        Assert.Equal(new EvaluationProtocol.Superseded("b", 2, 3), ExpectMsg<EvaluationProtocol.Superseded>(Patience));
        release.Set();
        Assert.Equal(Rows(100), ExpectMsg<EvaluationProtocol.Evaluated>(e => e.Request == "a", Patience).Outputs["dev"]);
        Assert.Equal(Rows(300), ExpectMsg<EvaluationProtocol.Evaluated>(e => e.Request == "c", Patience).Outputs["dev"]);
        Assert.DoesNotContain("200", _world.Loads);
    }

    [Fact]
    public void A_foreign_evaluator_whose_messages_are_lost_or_doubled_costs_nothing()
    {
        var director = Director(0);
        var evaluator = CreateTestProbe();
        director.Tell(Ask("a", 100));
        director.Tell(new EvaluationProtocol.Want(), evaluator);
        for (var first = 0; first < 10; first += 4)
        {
            var lost = evaluator.ExpectMsg<EvaluationProtocol.Assign>(Patience);
            director.Tell(new EvaluationProtocol.Want(), evaluator);
            var again = evaluator.ExpectMsg<EvaluationProtocol.Assign>(Patience);
            Assert.Equal((lost.Number, first), (again.Number, again.First));
            var scored = new EvaluationProtocol.Scored("a", again.Number, Rows(100)[first..Math.Min(10, first + 4)]);
            director.Tell(scored, evaluator);
            director.Tell(scored, evaluator);
        }

        Assert.Equal(Rows(100), ExpectMsg<EvaluationProtocol.Evaluated>(Patience).Outputs["dev"]);
        director.Tell(Ask("a", 100));
        Assert.Equal(Rows(100), ExpectMsg<EvaluationProtocol.Evaluated>(Patience).Outputs["dev"]);
    }

    [Fact]
    public void The_job_of_a_foreign_evaluator_that_ends_goes_to_the_next_that_comes()
    {
        var director = Director(0);
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        director.Tell(Ask("a", 100));
        director.Tell(new EvaluationProtocol.Want(), first);
        var job = first.ExpectMsg<EvaluationProtocol.Assign>(Patience);
        Sys.Stop(first.Ref);
        director.Tell(new EvaluationProtocol.Want(), second);
        var other = second.ExpectMsg<EvaluationProtocol.Assign>(Patience);

        while (other.First != job.First)
        {
            director.Tell(new EvaluationProtocol.Scored("a", other.Number, new float[other.Rows]), second);
            other = second.ExpectMsg<EvaluationProtocol.Assign>(Patience);
        }
    }

    [Fact]
    public void An_assignment_that_comes_again_is_computed_once_and_answered_again()
    {
        var director = CreateTestProbe();
        var evaluator = Sys.ActorOf(Props.Create(() => new EvaluatorActor(director, () => new NumberEvaluation(_world), Never)));
        director.ExpectMsg<EvaluationProtocol.Want>(Patience);
        var assign = new EvaluationProtocol.Assign("a", 1, NumberEvaluation.Model(100), "dev", 4, 2, 2);

        evaluator.Tell(assign, director);
        var answer = director.ExpectMsg<EvaluationProtocol.Scored>(Patience);
        evaluator.Tell(assign, director);
        var again = director.ExpectMsg<EvaluationProtocol.Scored>(Patience);

        Assert.Equal([104f, 105f], answer.Outputs);
        Assert.Equal(answer.Outputs, again.Outputs);
        Assert.Single(_world.Calls);
    }

    [Fact]
    public void An_evaluator_that_idles_says_so_again_and_again()
    {
        var director = CreateTestProbe();
        Sys.ActorOf(Props.Create(() => new EvaluatorActor(director, () => new NumberEvaluation(_world), TimeSpan.FromMilliseconds(20))));

        for (var i = 0; i < 3; i++)
        {
            director.ExpectMsg<EvaluationProtocol.Want>(Patience);
        }
    }

    [Fact]
    public void A_director_that_is_stopped_tells_those_who_wait()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        _world.Misfortune = _ =>
        {
            entered.Set();
            release.Wait(Patience);
        };
        var director = Director(1);
        director.Tell(Ask("a", 100));
        Assert.True(entered.Wait(Patience));

        Sys.Stop(director);

        Assert.Contains("stopped", ExpectMsg<EvaluationProtocol.Failed>(Patience).Reason);
        release.Set();
    }

    private static EvaluationProtocol.Evaluate Ask(string request, int model, long step = 7) => new(request, "r", step, NumberEvaluation.Model(model), ["dev"]);

    private static float[] Rows(int model) => [.. Enumerable.Range(model, 10).Select(i => (float)i)];

    private IActorRef Director(int evaluators, TimeSpan? timeout = null)
    {
        var settings = new EvaluationSettings
        {
            Rows = new Dictionary<string, int> { ["dev"] = 10 },
            Computation = () => new NumberEvaluation(_world),
            Evaluators = evaluators,
            JobRows = 4,
            Batch = 2,
            JobTimeout = timeout ?? Never,
            AskEvery = TimeSpan.FromMilliseconds(50),
            RestartDelay = TimeSpan.FromMilliseconds(1),
        };
        return Sys.ActorOf(Props.Create(() => new EvaluationDirector(settings)));
    }
}
