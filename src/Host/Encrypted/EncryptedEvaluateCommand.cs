using ActorTrainer.Actors;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Views;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>evaluate-encrypted</c>: scores of encrypted models on encrypted splits; only the owner sees outputs and scores.</summary>
internal static class EncryptedEvaluateCommand
{
    /// <summary>Scores the model of every task, or that of <c>model=</c>, on its labelled splits.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        foreach (var job in EncryptedJob.All(run, PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words))))
        {
            using var inputs = EncryptedInputs.Open(job);
            var folder = EncryptedFolders.Model(context, job.Task);
            context.Out.WriteLine($"{job.Task.Name}: {folder}");
            foreach (var split in job.Task.EvaluationSplits)
            {
                var (score, _) = await Score(context, inputs, folder, split, stop).ConfigureAwait(false);
                context.Out.WriteLine($"  {split,-14}  {Scoring.Describe(score)}");
            }
        }

        return App.Done;
    }

    /// <summary>Scores an encrypted model on an encrypted split.</summary>
    /// <returns>The score, and outputs row by row.</returns>
    public static async Task<(GlueScore Score, IReadOnlyList<float[]> Outputs)> Score(CommandContext context, EncryptedInputs inputs, string folder, string split, CancellationToken stop)
    {
        var model = EncryptedModelFolder.Load(folder);
        model.Require(folder, inputs.Keys.Manifest.KeySha256, inputs.Keys.Folder);
        var (data, examples) = (inputs.Data(split), inputs.Examples(split));
        var temporary = Path.Combine(context.Run.RunFolder, "evaluate-encrypted", $"{inputs.Job.Task.Name}-{split}-{Guid.NewGuid():N}");
        try
        {
            using var held = RunFolder.Open(temporary);
            var session = new EncryptedSession(context, inputs, held);
            var view = new NoticesOnly(new PlainView(context.Out, new RunBudget(Model.Optimisation.BudgetUnit.Steps, 1)));
            var outputs = await session.Evaluate(data, model.States(folder), examples.Rows, view, stop).ConfigureAwait(false);
            return (GlueScore.Of(inputs.Job.Task, split, [.. examples.Labels.Take(examples.Rows)], outputs.SelectMany(row => row).ToArray()), outputs);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    /// <summary>An evaluation has no steps and leaves no checkpoint that anybody wants.</summary>
    private sealed class NoticesOnly(RunObserver inner) : RunObserver
    {
        public override void OnNotice(string text) => inner.OnNotice(text);

        public override void OnAttempt(int attempt, long fromStep) => inner.OnAttempt(attempt, fromStep);
    }
}
