using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.FineTuneRuns;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Evaluation;

/// <summary>872 rows, as many as SST-2's development split has, scored in every way there is.</summary>
public class SameScoreTests : TestKit
{
    private const int Rows = 872;
    private readonly RandomRows _dev = new(GlueTask.Mnli, Rows, 4);

    [Fact]
    public async Task A_model_has_one_score_whatever_the_batch_the_stages_and_the_evaluators()
    {
        var scores = new List<GlueScore>();
        foreach (var (stages, rows) in new[] { (1, 7), (2, 64), (4, Rows) })
        {
            using var run = new FineTuneRun();
            var options = FineTuneRun.Options(lora: true, stages);
            options = options with { Impl = options.Impl with { MicroBatchSize = rows } };

            var outcome = await run.Execute(options, new GlueBatchSource(new RandomRows(GlueTask.Mnli, 12, 1), _dev, seed: 5, padding: PaddingKind.Longest));

            Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
            scores.Add(Score(Assert.Single(run.Observer.Outputs)));
            if (stages > 1)
            {
                continue;
            }

            var recipe = new TensorEvaluationRecipe { Arch = FineTuneRun.Arch, Shape = options.FineTune, Padding = PaddingKind.Longest }.ToJson();
            foreach (var (evaluators, batch) in new[] { (1, 1), (1, Rows), (3, 16), (2, 500) })
            {
                var settings = new TensorEvaluationSettings { Splits = new Dictionary<string, IEncodedRows> { ["dev"] = _dev }, Store = run.Store };
                var evaluation = LocalEvaluation.Start(Sys, settings, evaluators, batch);
                var answer = await evaluation.Evaluate("", 1, new EvaluationModel(recipe, run.Commits.Last().Objects, ""), ["dev"]).WaitAsync(TimeSpan.FromMinutes(1));
                await evaluation.Stop(TimeSpan.FromSeconds(10));
                scores.Add(Score(Assert.IsType<EvaluationProtocol.Evaluated>(answer).Outputs["dev"]));
            }
        }

        Assert.Equal(7, scores.Count);
        Assert.All(scores, score => Assert.Equal(scores[0].All, score.All));
        Assert.All(scores, score => Assert.Equal(scores[0].Loss, score.Loss, 1e-6));
        Assert.InRange(scores[0].All.Values.First(), 0.05, 0.95);
    }

    private GlueScore Score(float[] outputs) =>
        GlueScore.Of(GlueTasks.Of(GlueTask.Mnli), "dev", [.. Enumerable.Range(0, Rows).Select(_dev.Label)], outputs);
}
