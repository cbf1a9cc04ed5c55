using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using Xunit;

namespace ActorTrainer.Tests.Evaluation;

public class EvaluationStateTests
{
    private static readonly EvaluationModel Model = new("", new Dictionary<string, string>(), "");

    private readonly List<EvaluationAction> _said = [];
    private EvaluationState _state = new(new Dictionary<string, int> { ["dev"] = 5, ["test"] = 2, ["empty"] = 0 }, JobRows: 2, Batch: 1);

    [Fact]
    public void Jobs_cover_every_row_once_and_outputs_come_in_the_order_of_rows_whoever_answers_first()
    {
        Act(_state.Asked(Ask("q", "dev", "test")));
        foreach (var evaluator in new[] { 1, 2, 3, 4 })
        {
            Act(_state.Wanted(evaluator));
        }

        var dealt = Dealt();
        Assert.Equal([("dev", 0, 2), ("dev", 2, 2), ("dev", 4, 1), ("test", 0, 2)], dealt.Select(d => (d.Assignment.Split, d.Assignment.First, d.Assignment.Rows)));
        foreach (var deal in dealt.Reverse())
        {
            Score(deal);
        }

        var answer = Assert.IsType<EvaluationProtocol.Evaluated>(Answer());
        Assert.Equal([0f, 1, 2, 3, 4], answer.Outputs["dev"]);
        Assert.Equal([0f, 1], answer.Outputs["test"]);
    }

    [Fact]
    public void An_evaluator_that_is_done_gets_the_next_job()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("q", "dev")));
        Score(Dealt()[0]);
        Score(Dealt()[1]);
        Score(Dealt()[2]);

        Assert.Equal([0f, 1, 2, 3, 4], Assert.IsType<EvaluationProtocol.Evaluated>(Answer()).Outputs["dev"]);
    }

    [Fact]
    public void A_repeated_or_late_answer_changes_nothing()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("q", "dev")));
        var first = Dealt()[0];
        Score(first);
        var after = _state;

        Score(first);
        Act(_state.Scored(2, new EvaluationProtocol.Scored("q", 2, [9, 9])));
        Act(_state.Failed(1, new EvaluationProtocol.JobFailed("q", first.Assignment.Number, "late")));

        Assert.Same(after, _state);
        Assert.Equal(2, Dealt().Count);
    }

    [Fact]
    public void Who_wants_work_though_it_has_some_is_told_again()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("q", "dev")));

        Act(_state.Wanted(1));

        Assert.Equal(2, Dealt().Count);
        Assert.Equal(Dealt()[0], Dealt()[1]);
    }

    [Fact]
    public void A_failed_job_goes_to_another_evaluator_and_the_third_failure_fails_the_request_with_its_reason()
    {
        Act(_state.Wanted(1));
        Act(_state.Wanted(2));
        Act(_state.Asked(Ask("q", "test")));
        Fail(Dealt()[0], "one");
        Fail(Dealt()[1], "two");
        Fail(Dealt()[2], "three");

        Assert.Equal([1, 2], Dealt().Take(2).Select(d => d.Evaluator));
        var failed = Assert.IsType<EvaluationProtocol.Failed>(Answer());
        Assert.Equal("rows 1 to 2 of test failed 3 times, the last time because: three", failed.Reason);
        Assert.Empty(_state.Requests);
        Assert.Equal([1, 2], _state.Free);
    }

    [Fact]
    public void The_job_of_a_lost_evaluator_is_dealt_again()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("q", "test")));
        Act(_state.Lost(1, "ended"));
        Assert.Single(Dealt());

        Act(_state.Wanted(2));
        Score(Dealt()[1]);

        Assert.IsType<EvaluationProtocol.Evaluated>(Answer());
    }

    [Fact]
    public void Outputs_of_the_wrong_number_are_a_failure()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("q", "test")));
        foreach (var wrong in new[] { new float[3], [], new float[1] })
        {
            Act(_state.Scored(1, new EvaluationProtocol.Scored("q", Dealt()[^1].Assignment.Number, wrong)));
        }

        Assert.Contains("1 outputs where 2 rows", Assert.IsType<EvaluationProtocol.Failed>(Answer()).Reason);
    }

    [Fact]
    public void A_later_checkpoint_takes_the_place_of_one_of_its_run_that_has_not_begun()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("begun", 10, "r")));
        Act(_state.Asked(Ask("waits", 20, "r")));
        Act(_state.Asked(Ask("other", 20, "s")));
        Act(_state.Asked(Ask("alone", 20, "")));
        Act(_state.Asked(Ask("newer", 30, "r")));
        Act(_state.Asked(Ask("late", 25, "r")));

        Assert.Equal(
            [new EvaluationProtocol.Superseded("waits", 20, 30), new EvaluationProtocol.Superseded("late", 25, 30)],
            _said.OfType<EvaluationAction.Answer>().Select(a => a.Message));
        Assert.Equal(["begun", "other", "alone", "newer"], _state.Requests.Select(r => r.Request.Request));
    }

    [Fact]
    public void A_request_that_comes_again_is_answered_as_before()
    {
        Act(_state.Wanted(1));
        Act(_state.Asked(Ask("q", "test")));
        Act(_state.Asked(Ask("q", "test")));
        Score(Assert.Single(Dealt()));
        var answer = Answer();

        Act(_state.Asked(Ask("q", "test")));

        Assert.Same(answer, _said.OfType<EvaluationAction.Answer>().Last().Message);
        Assert.Single(Dealt());
    }

    [Fact]
    public void Unknown_splits_are_refused_and_empty_ones_need_no_evaluator()
    {
        Act(_state.Asked(Ask("q", "dev", "none")));
        Act(_state.Asked(Ask("e", "empty")));

        var answers = _said.OfType<EvaluationAction.Answer>().Select(a => a.Message).ToList();
        Assert.Contains("'none'", Assert.IsType<EvaluationProtocol.Failed>(answers[0]).Reason);
        Assert.Empty(Assert.IsType<EvaluationProtocol.Evaluated>(answers[1]).Outputs["empty"]);
    }

    private static EvaluationProtocol.Evaluate Ask(string request, params string[] splits) => new(request, "", 7, Model, splits);

    private static EvaluationProtocol.Evaluate Ask(string request, long step, string run) => new(request, run, step, Model, ["dev"]);

    private void Act((EvaluationState State, IReadOnlyList<EvaluationAction> Actions) decided)
    {
        _state = decided.State;
        _said.AddRange(decided.Actions);
    }

    private IReadOnlyList<EvaluationAction.Deal> Dealt() => [.. _said.OfType<EvaluationAction.Deal>()];

    private EvaluationProtocol.IAnswer Answer() => Assert.Single(_said.OfType<EvaluationAction.Answer>()).Message;

    /// <summary>Answers with the numbers of the rows.</summary>
    private void Score(EvaluationAction.Deal deal) => Act(_state.Scored(
        deal.Evaluator,
        new EvaluationProtocol.Scored("q", deal.Assignment.Number, [.. Enumerable.Range(deal.Assignment.First, deal.Assignment.Rows).Select(i => (float)i)])));

    private void Fail(EvaluationAction.Deal deal, string reason) =>
        Act(_state.Failed(deal.Evaluator, new EvaluationProtocol.JobFailed("q", deal.Assignment.Number, reason)));
}
