using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
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
    /// <summary>Scores the models that the configuration or <c>model=</c> names.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
        var inputs = new GlueInputs(run, progress);
        foreach (var (folder, task) in Models(context, run))
        {
            var tokenizer = TokenizerFile.Load(Path.Combine(folder, CheckpointFolder.TokenizerFile));
            var sequence = Model.Bert.ModelConfigFile.Load(Path.Combine(folder, CheckpointFolder.ConfigFile)).Sequence;
            var splits = inputs.Evaluation(task, tokenizer, sequence).ToList();
            IReadOnlyList<EncodedSplit> tests = context.Has("--predict") ? [.. task.TestSplits.Select(split => inputs.Split(task, split, tokenizer, sequence))] : [];
            var own = Path.Combine(folder, Calibration.FileName);
            var functions = run.Eval.Functions == FunctionKind.Polynomial
                ? new PolynomialFunctions(Polynomials.Load(run.Eval.Calibration, File.Exists(own) ? own : null, folder))
                : null;
            await using var scoring = new Scoring(run, splits, null, Scoring.Recipe(run, null, DeviceChoice.Of(run.Impl)), functions);
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
                await using var predicting = new Scoring(run, tests, null, Scoring.Recipe(run, null, DeviceChoice.Of(run.Impl)), functions);
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

    private static IEnumerable<(string Folder, GlueTaskInfo Task)> Models(CommandContext context, RunConfiguration run)
    {
        if (context.Option("model") is { } named)
        {
            yield return (named, GlueTasks.Parse(FineTuneShapeFile.Load(Path.Combine(named, FineTuneShapeFile.FileName)).Task));
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
                    yield return (folder, task);
                }
            }
        }

        if (!found)
        {
            throw new RefusedException(
                $"{FineTuneFolders.Trained(run)} has no fine-tuned model of {string.Join(", ", run.Eval.Tasks)}: fine-tune first, or name the right eval.label, eval.method or model=FOLDER.");
        }
    }
}
