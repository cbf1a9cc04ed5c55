using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Reports.Glue;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.FineTuning;

/// <summary><c>finetune</c>: tasks and repeats one after another, then a table.</summary>
internal static class FineTuneCommand
{
    /// <summary>Runs all tasks of the configuration, on the cluster that it names or in this process.</summary>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (context.Run.Cluster.Seeds.Count == 0)
        {
            return await Run(context, null, stop).ConfigureAwait(false);
        }

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
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
        var model = PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words));
        var inputs = new GlueInputs(run, progress);
        var tasks = run.Eval.Tasks.Select(GlueTasks.Parse).ToList();
        context.Out.WriteLine($"fine-tuning of {model.Source.Name}: {run.Eval.MethodName}, {string.Join(", ", tasks.Select(task => task.Name))}");
        foreach (var task in tasks)
        {
            for (var repeat = 1; repeat <= run.Eval.Repeats; repeat++)
            {
                var code = await new FineTuneSession(context, model, inputs, progress, task, repeat, cluster).Run(stop).ConfigureAwait(false);
                if (code != App.Done)
                {
                    return code;
                }
            }
        }

        var folder = FineTuneFolders.Of(run);
        var found = GlueReports.Find(folder);
        if (found.Results.Count > 0 && run.Eval.Path.Length > 0) // scores of the sample set say nothing beside published ones
        {
            var table = GlueTable.Of(found.Results);
            context.Out.WriteLine();
            GlueReports.Print(table, context.Out);
            GlueReports.SaveTable(folder, table, $"{run.Name}, {run.Eval.MethodName}");
            context.Out.WriteLine($"table: {folder}/glue.md, glue.json; all runs: actortrainer results");
        }

        return App.Done;
    }
}
