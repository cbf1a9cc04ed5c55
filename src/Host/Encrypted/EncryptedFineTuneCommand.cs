using ActorTrainer.Actors;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>finetune-encrypted</c>: adapters and head trained on ciphertexts.</summary>
internal static class EncryptedFineTuneCommand
{
    /// <summary>Trains every task of the configuration.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var steps = Counts.Parse("steps", context.Option("steps"));
        foreach (var job in EncryptedJob.All(run, PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words))))
        {
            using var inputs = EncryptedInputs.Open(job);
            using var folder = RunFolder.Open(EncryptedFolders.Training(run, job.Task));
            var (train, examples) = (inputs.Data(GlueTaskInfo.Train), inputs.Examples(GlueTaskInfo.Train));
            context.Out.WriteLine(
                $"{job.Task.Name}: {train.Manifest.Rows:N0} encrypted rows in {train.Count:N0} micro-batches, {job.Parameters.Name}, {run.Pipeline.Stages} stage(s), keys {inputs.Keys.Manifest.KeySha256[..16]}");
            var (code, model) = await new EncryptedSession(context, inputs, folder).Train(train, examples, steps, stop).ConfigureAwait(false);
            if (code != App.Done)
            {
                return code;
            }

            context.Out.WriteLine($"  encrypted model {model}: only the owner of the keys can read it, with `actortrainer decrypt`");
        }

        return App.Done;
    }
}
