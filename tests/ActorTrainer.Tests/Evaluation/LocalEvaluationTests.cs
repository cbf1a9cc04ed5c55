using System.Collections.Concurrent;
using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.Checkpoints;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Evaluation;

/// <summary>Evaluation of a real tiny model by actors; every message goes through its wire format.</summary>
public class LocalEvaluationTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly ContentStore _store;
    private readonly SampleRows _dev = new("dev", 53, TinyCheckpoint.Sequence, TinyCheckpoint.Arch.Vocabulary);
    private readonly SampleRows _test = new("test", 17, TinyCheckpoint.Sequence, TinyCheckpoint.Arch.Vocabulary);

    public LocalEvaluationTests()
        : base(ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
    {
        _store = new ContentStore(_folder.Path);
    }

    [Fact]
    public async Task Predictions_are_the_same_with_any_number_of_evaluators_batch_and_job_size()
    {
        var model = TinyCheckpoint.Save(_store, 5, lora: true);
        var expected = TinyCheckpoint.Expected(_dev, 5, lora: true);
        foreach (var (evaluators, job, batch) in new[] { (1, 64, 64), (1, 5, 2), (2, 16, 8), (3, 7, 3), (3, 1, 1) })
        {
            var outputs = await Outputs(model, evaluators, job, batch);

            TensorEvaluationTests.AssertClose(expected, outputs["dev"]);
            Assert.Equal(TinyCheckpoint.Predictions(expected), TinyCheckpoint.Predictions(outputs["dev"]));
            Assert.Equal(34, outputs["test"].Length);
        }
    }

    [Fact]
    public async Task With_the_same_jobs_the_number_of_evaluators_changes_no_bit()
    {
        var model = TinyCheckpoint.Save(_store, 5);

        Assert.Equal((await Outputs(model, 1, 8, 4))["dev"], (await Outputs(model, 3, 8, 4))["dev"]);
    }

    [Fact]
    public async Task Commits_are_answered_while_others_go_on_and_all_are_told_before_it_is_settled()
    {
        var evaluation = LocalEvaluation.Start(Sys, Shared, evaluators: 2, batch: 8);
        var told = new ConcurrentQueue<EvaluationProtocol.IAnswer>();
        var models = new[] { TinyCheckpoint.Save(_store, 5), TinyCheckpoint.Save(_store, 6), TinyCheckpoint.Save(_store, 7) };
        var commit = evaluation.OnCommit("r", models[0].Recipe, ["dev"], told.Enqueue);
        for (var i = 0; i < models.Length; i++)
        {
            commit(i + 1, models[i].Objects);
        }

        await evaluation.Settled().WaitAsync(Patience);

        Assert.Equal([1L, 2, 3], told.Select(a => a.Step).Order());
        var last = told.OfType<EvaluationProtocol.Evaluated>().Single(a => a.Step == 3);
        TensorEvaluationTests.AssertClose(TinyCheckpoint.Expected(_dev, 7), last.Outputs["dev"]);
        await evaluation.Stop(Patience);
    }

    [Fact]
    public async Task A_checkpoint_whose_objects_are_gone_fails_with_the_reason_and_a_stopped_evaluation_answers()
    {
        var evaluation = LocalEvaluation.Start(Sys, Shared, evaluators: 2, batch: 8);
        var model = TinyCheckpoint.Save(_store, 5);
        var gone = model with { Objects = model.Objects.ToDictionary(o => o.Key, o => o.Key == "head" ? new string('0', 64) : o.Value) };

        var failed = Assert.IsType<EvaluationProtocol.Failed>(await evaluation.Evaluate("", 3, gone, ["dev"]).WaitAsync(Patience));
        await evaluation.Stop(Patience);
        var stopped = Assert.IsType<EvaluationProtocol.Failed>(await evaluation.Evaluate("", 3, model, ["dev"]).WaitAsync(Patience));

        Assert.Contains("RefusedException", failed.Reason);
        Assert.Equal("evaluation was stopped", stopped.Reason);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _folder.Dispose();
    }

    private TensorEvaluationSettings Shared => new()
    {
        Splits = new Dictionary<string, IEncodedRows> { ["dev"] = _dev, ["test"] = _test },
        Store = _store,
    };

    private async Task<IReadOnlyDictionary<string, float[]>> Outputs(EvaluationModel model, int evaluators, int job, int batch)
    {
        var shared = Shared;
        var evaluation = LocalEvaluation.Start(
            Sys,
            new EvaluationSettings
            {
                Rows = new Dictionary<string, int> { ["dev"] = _dev.Count, ["test"] = _test.Count },
                Computation = () => new TensorEvaluation(shared),
                Evaluators = evaluators,
                JobRows = job,
                Batch = batch,
            },
            $"evaluation-{evaluators}-{job}-{batch}");
        var answer = await evaluation.Evaluate("", 3, model, ["dev", "test"]).WaitAsync(Patience);
        await evaluation.Stop(Patience);
        return Assert.IsType<EvaluationProtocol.Evaluated>(answer).Outputs;
    }
}
