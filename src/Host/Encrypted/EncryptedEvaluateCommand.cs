using System.Globalization;
using ActorTrainer.Actors;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
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
                var (score, outputs) = await Score(context, inputs, folder, split, stop).ConfigureAwait(false);
                context.Out.WriteLine($"  {split,-14}  {Scoring.Describe(score)}");
                if (context.Has("--compare"))
                {
                    await Compare(context, inputs, folder, split, outputs, stop).ConfigureAwait(false);
                }
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
            var (progress, pace) = (new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System), new Pace(TimeProvider.System));
            var outputs = await session.Evaluate(
                data, model.States(folder), examples.Rows, view, done => progress.Report($"{split}: {done:N0} of {data.Count:N0} micro-batches, {pace.Left(done, data.Count)} left"), stop).ConfigureAwait(false);
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

    /// <summary>Decrypts the model, evaluates the same rows in the clear by the functions themselves, and tells how far both agree.</summary>
    private static async Task Compare(CommandContext context, EncryptedInputs inputs, string folder, string split, IReadOnlyList<float[]> outputs, CancellationToken stop)
    {
        var (run, job) = (context.Run, inputs.Job);
        var decrypted = Directory.CreateTempSubdirectory("actortrainer-decrypted-").FullName;
        try
        {
            var model = Path.Combine(decrypted, "model");
            DecryptCommand.Write(inputs, folder, model);
            var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
            var splits = new GlueInputs(run, progress).Evaluation(job.Task, job.Model.Tokenizer, job.Arch.Sequence);
            await using var scoring = new Scoring(run, splits, null, Scoring.Recipe(run, null, DeviceChoice.Of(run.Impl)));
            var clear = (await scoring.Outputs(model, [split], stop).ConfigureAwait(false)).Outputs[split];
            var numbers = inputs.Examples(split).RowNumbers;
            var pairs = outputs.Select((found, row) => (Found: found, Expected: clear.Skip(numbers[row] * found.Length).Take(found.Length).ToArray())).ToList();
            var far = pairs.SelectMany(pair => pair.Found.Zip(pair.Expected, (a, b) => Math.Abs(a - b))).ToList();
            var same = pairs.Count(pair => Array.IndexOf(pair.Found, pair.Found.Max()) == Array.IndexOf(pair.Expected, pair.Expected.Max()));
            context.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {split,-14}  in the clear {same:N0} of {pairs.Count:N0} rows have the same class ({(double)same / pairs.Count:0.0000}); outputs differ by {far.Average():0.0e+0} on average, {far.Max():0.0e+0} at most"));
        }
        finally
        {
            Directory.Delete(decrypted, recursive: true);
        }
    }

    /// <summary>An evaluation has no steps and leaves no checkpoint that anybody wants.</summary>
    private sealed class NoticesOnly(RunObserver inner) : RunObserver
    {
        public override void OnNotice(string text) => inner.OnNotice(text);

        public override void OnAttempt(int attempt, long fromStep) => inner.OnAttempt(attempt, fromStep);
    }
}
