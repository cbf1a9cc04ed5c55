using System.Globalization;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Wire;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Export;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>keygen</c>: the data owner's keys.</summary>
/// <param name="plan">Plans a task's program.</param>
/// <param name="time">Clock.</param>
internal sealed class KeyGenCommand(Func<EncryptedJob, EncryptedPlan> plan, TimeProvider time)
{
    /// <summary>Makes keys for all tasks of the configuration.</summary>
    public Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, time);
        var model = PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words));
        var jobs = EncryptedJob.All(run, model);
        var (parameters, folder) = (jobs[0].Parameters, EncryptedFolders.Keys(run));
        // One set of keys serves all tasks: each key up to the highest level that any of them asks for.
        progress.Report("planning");
        EncryptedPlan[] plans = [.. jobs.Select(plan)];
        var requests = EncryptedPlan.KeysOf(plans.SelectMany(made => made.Units));
        progress.Done(string.Create(CultureInfo.InvariantCulture, $"{parameters}"));
        progress.Done(string.Create(CultureInfo.InvariantCulture, $"{requests.Count} evaluation keys, {WireSize.EvaluationKeys(parameters, requests) / 1e6:N0} MB, for {string.Join(", ", run.Eval.Tasks)}"));
        using var embedding = model.LoadEmbedding();
        var purpose = new KeyPurpose(model.Source.Name, DataExport.EmbeddingHash(embedding), run.Eval.Tasks, jobs[0].Packing);
        var pace = new Pace(time);
        var manifest = OwnerKeys.Create(
            folder, parameters, requests, purpose, run.He.AllowInsecure, run.He.ThreadCount(), run.He.Refresh != RefreshKind.Owner,
            done => progress.Report($"{done.Keys:N0} of {done.Count:N0} keys, {pace.Describe(done.Bytes, done.TotalBytes)}"), stop);
        foreach (var (job, made) in jobs.Zip(plans))
        {
            made.Save(EncryptedFolders.Plan(run, job.Task));
        }

        progress.Done($"keys {manifest.KeySha256[..16]} in {folder}");
        context.Out.WriteLine(
            $"""

             Keep {Path.Combine(folder, OwnerKeys.SecretKeyName)} to yourself: whoever has it reads all that is encrypted with it, and without it nobody does.
             Stages need {KeyManifest.EvaluationKeysName} and {KeyManifest.FileName} alone.
             """);
        return Task.FromResult(App.Done);
    }
}
