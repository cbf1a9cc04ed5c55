using System.Text.Json;
using ActorTrainer.Actors.Evaluation;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using Akka.Actor;
using Akka.Configuration;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Evaluation actors of one task, and the scores that they come to.</summary>
internal sealed class Scoring : IAsyncDisposable
{
    /// <summary>Scores of a run's checkpoints, one a line.</summary>
    public const string ScoresFile = "scores.jsonl";

    private readonly RunConfiguration _run;
    private readonly Dictionary<string, EncodedSplit> _splits;
    private readonly string _recipe;
    private readonly ActorSystem _system;
    private readonly LocalEvaluation _evaluation;

    /// <param name="run">Settings.</param>
    /// <param name="splits">Splits of one task.</param>
    /// <param name="store">Objects of a run's checkpoints; null: only folders are scored.</param>
    /// <param name="recipe">From <see cref="Recipe"/>.</param>
    /// <param name="functions">What stands in for functions that are no polynomials.</param>
    /// <param name="load">Makes the units of a saved model; null: it is a fine-tuned model's folder.</param>
    public Scoring(
        RunConfiguration run, IReadOnlyList<EncodedSplit> splits, IObjectStore? store, string recipe, IPointFunctions? functions = null, Func<string, IReadOnlyList<ModelUnit>>? load = null)
    {
        _run = run;
        _recipe = recipe;
        _splits = splits.ToDictionary(split => split.Name);
        _system = ActorSystem.Create("evaluation", ConfigurationFactory.ParseString(
            "akka { loglevel = ERROR, stdout-loglevel = OFF, log-dead-letters = off }").WithFallback(WireSerializer.Config));
        _evaluation = LocalEvaluation.Start(
            _system,
            new TensorEvaluationSettings
            {
                Splits = splits.ToDictionary(split => split.Name, split => (IEncodedRows)split),
                Store = store,
                Folder = load ?? (folder => FineTunedModel.Load(folder).Units),
                Functions = functions,
            },
            Math.Max(1, run.Eval.Evaluators),
            run.Eval.EvaluationBatch);
    }

    /// <summary>Settings for the evaluators.</summary>
    public static string Recipe(RunConfiguration run, FineTuneShape? shape, DeviceChoice device) => new TensorEvaluationRecipe
    {
        Arch = shape is null ? null : run.Arch,
        Shape = shape,
        Padding = run.Eval.Padding,
        BFloat16 = device.BFloat16,
        Cuda = device.Cuda,
    }.ToJson();

    /// <summary>A score for people.</summary>
    public static string Describe(GlueScore score) =>
        string.Join("  ", score.All.Select(metric => $"{metric.Key} {metric.Value:0.0000}")) + $"  (majority class {score.Baseline:0.0000}, {score.Rows:N0} rows, loss {score.Loss:0.000})";

    /// <summary>What to call for each committed checkpoint; <paramref name="say"/> is told the scores on another thread.</summary>
    public Action<long, IReadOnlyDictionary<string, string>> OnCommit(Action<string> say) =>
        _evaluation.OnCommit(_run.Name, _recipe, [.. _splits.Keys], answer =>
        {
            switch (answer)
            {
                case EvaluationProtocol.Evaluated done:
                    foreach (var score in Scores(done))
                    {
                        say($"step {done.Step:N0}  {score.Split}  {Describe(score)}");
                        File.AppendAllText(
                            Path.Combine(_run.RunFolder, ScoresFile), JsonSerializer.Serialize(new { done.Step, Score = score }, ReportJson.Line) + "\n");
                    }

                    break;
                case EvaluationProtocol.Failed failed:
                    say($"step {failed.Step:N0} was not scored: {failed.Reason}");
                    break;
                case EvaluationProtocol.Superseded old:
                    say($"step {old.Step:N0} was not scored: step {old.By:N0} came before an evaluator was free");
                    break;
            }
        });

    /// <summary>Scores a fine-tuned model's folder.</summary>
    /// <exception cref="RefusedException">It could not be scored.</exception>
    public async Task<IReadOnlyList<GlueScore>> OfFolder(string folder, CancellationToken stop = default) => Scores(await Outputs(folder, [.. _splits.Keys], stop).ConfigureAwait(false));

    /// <summary>Outputs of a fine-tuned model for splits.</summary>
    /// <exception cref="RefusedException">They could not be computed.</exception>
    public async Task<EvaluationProtocol.Evaluated> Outputs(string folder, IReadOnlyList<string> splits, CancellationToken stop = default)
    {
        var recipe = (TensorEvaluationRecipe.Parse(_recipe) with { Arch = null, Shape = null }).ToJson();
        var answer = await _evaluation.Evaluate("", 0, new EvaluationModel(recipe, new Dictionary<string, string>(), folder), splits, stop).ConfigureAwait(false);
        return answer as EvaluationProtocol.Evaluated
            ?? throw new RefusedException($"{folder} could not be evaluated: {(answer as EvaluationProtocol.Failed)?.Reason ?? answer.ToString()}");
    }

    /// <summary>Waits for the scores of all checkpoints so far.</summary>
    public Task Settled() => _evaluation.Settled();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _evaluation.Stop(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        await _system.Terminate().ConfigureAwait(false);
        _system.Dispose();
    }

    private List<GlueScore> Scores(EvaluationProtocol.Evaluated done) =>
    [
        .. done.Outputs.Select(pair => GlueScore.Of(
            _splits[pair.Key].Task, pair.Key, [.. Enumerable.Range(0, _splits[pair.Key].Count).Select(_splits[pair.Key].Label)], pair.Value)),
    ];
}
