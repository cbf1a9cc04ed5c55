using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
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
    /// <param name="options">The run.</param>
    /// <param name="tokenizerHash">Hash of the tokenizer.</param>
    /// <param name="dataKey">Key of the prepared data.</param>
    /// <param name="cuda">Whether it computes on the CUDA device.</param>
    /// <param name="bFloat16">Whether matrix products are in bfloat16.</param>
    /// <param name="pretrained">Unit name → hash of its pre-trained weights, null or empty: none.</param>
    public static string Of(
        RunOptions options, string tokenizerHash, string dataKey, bool cuda, bool bFloat16, IReadOnlyDictionary<string, string>? pretrained = null)
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
        lines.AddRange(FineTuning(options, pretrained));
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    /// <summary>Nothing for pre-training: its recipes stay those of before.</summary>
    private static IEnumerable<string> FineTuning(RunOptions options, IReadOnlyDictionary<string, string>? pretrained)
    {
        IEnumerable<string> lines = (pretrained ?? new Dictionary<string, string>()).Select(unit => $"base.{unit.Key}={unit.Value}");
        if (options.FineTune is { } shape)
        {
            lines = lines.Concat(Properties("finetune", shape)).Concat(shape.Lora is { } lora ? Properties("finetune.lora", lora) : []);
        }

        if (options.Ranges is { Penalty: > 0, PenaltyFrom: > 0 } ranges)
        {
            lines = lines.Append($"ranges.Penalty={ranges.Penalty.ToString(CultureInfo.InvariantCulture)}").Append($"ranges.PenaltyFrom={ranges.PenaltyFrom}")
                .Concat(Properties("ranges.Targets", ranges.Targets));
        }

        return options.Ranges.Functions.Length == 0
            ? lines
            : lines.Append($"ranges.Functions={Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.Ranges.Functions)))}");
    }

    private static IEnumerable<string> Properties(string section, object options) =>
        from property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.CanWrite && property.PropertyType != typeof(AdamWOptions) && property.PropertyType != typeof(LoraShape) && !NotDeciding.Contains(property.Name)
        select $"{section}.{property.Name}={Convert.ToString(property.GetValue(options), CultureInfo.InvariantCulture)}";
}
