using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.FineTuning;

/// <summary><c>evaluate</c>: scores of saved models, and predictions of test sets.</summary>
internal static class EvaluateCommand
{
    /// <summary>Scores the models that the configuration, <c>model=</c> or <c>adapter=</c> names.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
        var inputs = new GlueInputs(run, progress);
        foreach (var saved in Models(context, run))
        {
            var (folder, task) = (saved.Path, saved.Task);
            var splits = inputs.Evaluation(task, saved.Tokenizer, saved.Sequence).ToList();
            IReadOnlyList<EncodedSplit> tests = context.Has("--predict") ? [.. task.TestSplits.Select(split => inputs.Split(task, split, saved.Tokenizer, saved.Sequence))] : [];
            var functions = run.Eval.Functions == FunctionKind.Polynomial
                ? new PolynomialFunctions(Polynomials.Load(run.Eval.Calibration, saved.Calibration, folder))
                : null;
            await using var scoring = new Scoring(run, splits, null, Scoring.Recipe(run, null, DeviceChoice.Of(run.Impl)), functions, saved.Load);
            context.Out.WriteLine($"{task.Name}: {folder}");
            foreach (var score in await scoring.OfFolder(folder, stop).ConfigureAwait(false))
            {
                context.Out.WriteLine($"  {score.Split,-14}  {Scoring.Describe(score)}");
            }

            if (functions is not null)
            {
                Polynomials.Report(context.Out, "scoring", functions.Outside);
            }

            if (tests.Count > 0)
            {
                await using var predicting = new Scoring(run, tests, null, Scoring.Recipe(run, null, DeviceChoice.Of(run.Impl)), functions, saved.Load);
                var outputs = await predicting.Outputs(folder, [.. tests.Select(test => test.Name)], stop).ConfigureAwait(false);
                foreach (var test in tests)
                {
                    var target = Path.Combine(FineTuneFolders.Trained(run), "predictions");
                    SubmissionFile.Write(
                        target, task, test.Name, [.. Enumerable.Range(0, test.Count).Select(test.Id)], GlueScore.Predictions(task, outputs.Outputs[test.Name]));
                    context.Out.WriteLine($"  {test.Name,-14}  {test.Count:N0} predictions in {target}");
                }
            }
        }

        return App.Done;
    }

    private static IEnumerable<SavedModel> Models(CommandContext context, RunConfiguration run)
    {
        if (context.Option("adapter") is { } adapter)
        {
            var shape = FineTunedModel.Described(adapter);
            var weights = PretrainedModel.Of(run with { Eval = run.Eval with { Attention = AttentionChoice.Checkpoint } }, archGiven: false);
            var own = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(adapter))!, Calibration.FileName);
            yield return new SavedModel(
                adapter, GlueTasks.Parse(shape.Task), weights.Tokenizer, weights.Arch.Sequence, File.Exists(own) ? own : null,
                file => FineTunedModel.LoadOver(weights.Source.Weights, file).Units);
            yield break;
        }

        if (context.Option("model") is { } named)
        {
            yield return SavedModel.In(named, GlueTasks.Parse(FineTuneShapeFile.Load(Path.Combine(named, FineTuneShapeFile.FileName)).Task));
            yield break;
        }

        var found = false;
        foreach (var task in run.Eval.Tasks.Select(GlueTasks.Parse))
        {
            for (var repeat = 1; repeat <= run.Eval.Repeats; repeat++)
            {
                if (CheckpointFolder.Latest(Path.Combine(FineTuneFolders.Trained(run), FineTuneFolders.RunName(task, repeat))) is { } folder)
                {
                    found = true;
                    yield return SavedModel.In(folder, task);
                }
            }
        }

        if (!found)
        {
            throw new RefusedException(
                $"{FineTuneFolders.Trained(run)} has no fine-tuned model of {string.Join(", ", run.Eval.Tasks)}: fine-tune first, or name the right eval.label, eval.method, model=FOLDER or adapter=FILE.");
        }
    }

    /// <summary>A model to evaluate.</summary>
    /// <param name="Path">Its folder, or its adapter file.</param>
    /// <param name="Task">What it was trained for.</param>
    /// <param name="Tokenizer">Its tokenizer.</param>
    /// <param name="Sequence">Longest input, tokens.</param>
    /// <param name="Calibration">Its calibration file, if there is one.</param>
    /// <param name="Load">Makes its units from the path; null: as a folder.</param>
    private sealed record SavedModel(
        string Path, GlueTaskInfo Task, WordPieceTokenizer Tokenizer, int Sequence, string? Calibration, Func<string, IReadOnlyList<ModelUnit>>? Load)
    {
        public static SavedModel In(string folder, GlueTaskInfo task)
        {
            var own = System.IO.Path.Combine(folder, Model.Ranges.Calibration.FileName);
            return new SavedModel(
                folder, task, TokenizerFile.Load(System.IO.Path.Combine(folder, CheckpointFolder.TokenizerFile)),
                ModelConfigFile.Load(System.IO.Path.Combine(folder, CheckpointFolder.ConfigFile)).Sequence, File.Exists(own) ? own : null, null);
        }
    }
}
