using ActorTrainer.Actors;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>finetune-encrypted</c>: adapters and head trained on ciphertexts.</summary>
internal static class EncryptedFineTuneCommand
{
    /// <summary>Trains every task of the configuration, on the cluster that it names or in this process.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (context.Run.Cluster.Seeds.Count == 0)
        {
            return await Run(context, null, stop).ConfigureAwait(false);
        }

        OwnerPort.Require(context.Run.He);
        ClusterRun.CheckPlacement(context);
        var cluster = ClusterAccess.Connect(context);
        await using (cluster.ConfigureAwait(false))
        {
            return await Run(context, cluster, stop).ConfigureAwait(false);
        }
    }

    private static async Task<int> Run(CommandContext context, ICluster? cluster, CancellationToken stop)
    {
        var run = context.Run;
        var steps = Counts.Parse("steps", context.Option("steps"));
        foreach (var job in EncryptedJob.All(run, PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words))))
        {
            using var inputs = EncryptedInputs.Open(job);
            using var folder = RunFolder.Open(EncryptedFolders.Training(run, job.Task));
            var (train, examples) = (inputs.Data(GlueTaskInfo.Train), inputs.Examples(GlueTaskInfo.Train));
            context.Out.WriteLine(
                $"{job.Task.Name}: {train.Manifest.Rows:N0} encrypted rows in {train.Count:N0} micro-batches, {job.Parameters.Name}, {(cluster is null ? $"{run.Pipeline.Stages} stage(s)" : run.He.Refresh == RefreshKind.Bootstrap ? "bootstrapped by the stages" : $"data owner at {run.He.Owner}")}, keys {inputs.Keys.Manifest.KeySha256[..16]}");
            if (cluster is not null)
            {
                var (ended, model) = await new ClusterOwnerSession(context, inputs, folder, cluster).Train(train, examples, steps, stop).ConfigureAwait(false);
                if (ended != App.Done)
                {
                    return ended;
                }

                context.Out.WriteLine($"  encrypted model {model}, a folder of the coordinator's node: only the owner of the keys can read it, with `actortrainer decrypt model=FOLDER`");
                if (context.Has("--compare"))
                {
                    // Only on the coordinator's machine, or where it is brought to.
                    var brought = Directory.Exists(model) ? model : throw new RefusedException($"{model} is not on this machine: bring it here, decrypt it with model=FOLDER, and evaluate.");
                    await new EncryptedComparison(context, inputs, folder.Root)
                        .Run(new EncryptedSession(context, inputs, folder).InTheClear(train, steps) with { Folder = brought }, examples, stop).ConfigureAwait(false);
                }

                continue;
            }

            var session = new EncryptedSession(context, inputs, folder);
            if (context.Has("--rehearse"))
            {
                await new EncryptedComparison(context, inputs, folder.Root).Rehearse(session.InTheClear(train, steps), examples, stop).ConfigureAwait(false);
                continue;
            }

            var (code, trained) = await session.Train(train, examples, steps, stop).ConfigureAwait(false);
            if (code != App.Done || trained is null)
            {
                return code;
            }

            context.Out.WriteLine($"  encrypted model {trained.Folder}: only the owner of the keys can read it, with `actortrainer decrypt`");
            if (context.Has("--compare"))
            {
                await new EncryptedComparison(context, inputs, folder.Root).Run(trained, examples, stop).ConfigureAwait(false);
            }
        }

        return App.Done;
    }
}
