using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Where fine-tuning keeps its files: <c>NAME/finetune/LABEL/TASK-REPEAT</c>.</summary>
internal static class FineTuneFolders
{
    /// <summary>Folder of all runs of one fine-tuning.</summary>
    public static string Of(RunConfiguration run) => Path.Combine(run.RunFolder, "finetune", LabelOf(run.Eval));

    /// <summary>Name of one run inside that folder; repeats count from 1.</summary>
    public static string RunName(GlueTaskInfo task, int repeat) => $"{task.Name}-{repeat}";

    /// <summary>The same for what evaluates a model: how functions are computed then says nothing about how it was trained.</summary>
    public static string Trained(RunConfiguration run) => Of(run with { Eval = run.Eval with { Functions = FunctionKind.Exact } });

    private static string LabelOf(FineTuneOptions options) => options.Label.Length > 0 ? options.Label
        : (options.Method == FineTuneMethod.Lora ? $"lora{options.LoraRank}" : "full") + (options.Functions == FunctionKind.Polynomial ? "-polynomial" : "");
}
