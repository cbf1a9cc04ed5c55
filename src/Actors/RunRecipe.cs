using System.Globalization;
using System.Reflection;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Actors;

/// <summary>The settings that decide a run's bits. Two runs of one recipe agree whatever their stages, schedule or checkpoints.</summary>
public static class RunRecipe
{
    private static readonly HashSet<string> NotDeciding =
    [
        nameof(TrainOptions.CheckpointEvery), nameof(TrainOptions.ExportEvery), nameof(TrainOptions.EvaluateEvery), nameof(TrainOptions.EvaluateBlocks),
    ];

    /// <summary>One <c>key=value</c> a line, sorted.</summary>
    /// <param name="weights">Unit → hash of the weights that fine-tuning starts from.</param>
    public static string Of(
        RunOptions options, string tokenizerHash, string dataKey, bool cuda, bool bFloat16, IReadOnlyDictionary<string, string>? weights = null)
    {
        var lines = new List<string>
        {
            $"seed={options.Seed}",
            $"tokenizer={tokenizerHash}",
            $"data={dataKey}",
            $"impl.microbatch_size={options.Impl.MicroBatchSize}",
            $"impl.threads={options.Impl.Threads}",
            $"impl.device={(cuda ? "cuda" : "cpu")}",
            $"impl.precision={(bFloat16 ? "bf16" : "fp32")}",
        };
        lines.AddRange(Properties("arch", options.Arch));
        lines.AddRange(Properties("train", options.Train));
        lines.AddRange(Properties("train.optim", options.Train.Optim));
        lines.AddRange((weights ?? new Dictionary<string, string>()).Select(pair => $"base.{pair.Key}={pair.Value}"));
        if (options.FineTune is { } shape)
        {
            lines.AddRange(Properties("finetune", shape));
            lines.AddRange(shape.Lora is { } lora ? Properties("finetune.lora", lora) : []);
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Properties(string section, object options) =>
        from property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.CanWrite && property.PropertyType != typeof(AdamWOptions) && property.PropertyType != typeof(LoraShape) && !NotDeciding.Contains(property.Name)
        select $"{section}.{property.Name}={Convert.ToString(property.GetValue(options), CultureInfo.InvariantCulture)}";
}
