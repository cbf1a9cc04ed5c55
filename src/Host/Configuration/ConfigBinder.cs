using ActorTrainer.Actors;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Configuration;

/// <summary>Turns values into option records, by the targets that the schema declares.</summary>
public static class ConfigBinder
{
    /// <summary>A typed configuration; properties without a value keep the record's default.</summary>
    public static RunConfiguration Bind(IReadOnlyList<ConfigValue> values) => Fill(new RunConfiguration(), values) with
    {
        Arch = Fill(new BertConfig(), values),
        Train = Fill(new TrainOptions(), values) with { Optim = Fill(new AdamWOptions(), Of(values, "train")) },
        Ranges = Fill(new RangeTraining(), values),
        Data = Fill(new DataOptions(), values),
        Pipeline = Fill(new PipelineOptions(), values),
        Eval = Fill(new FineTuneOptions(), values) with { Optim = Fill(new AdamWOptions(), Of(values, "eval")) },
        He = Fill(new HeOptions(), values),
        Impl = Fill(new ImplOptions(), values),
        Cluster = Fill(new ClusterOptions(), values),
    };

    private static List<ConfigValue> Of(IReadOnlyList<ConfigValue> values, string section) => [.. values.Where(value => value.Key.Section == section)];

    /// <summary>Sets the properties of a record that nobody else has seen yet.</summary>
    private static T Fill<T>(T record, IReadOnlyList<ConfigValue> values)
        where T : class
    {
        foreach (var value in values)
        {
            foreach (var target in value.Key.Targets.Where(target => target.Owner == typeof(T)))
            {
                typeof(T).GetProperty(target.Property)!.SetValue(record, value.Value);
            }
        }

        return record;
    }
}
