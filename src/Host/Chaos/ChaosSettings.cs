using System.Globalization;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>Settings of the runs that chaos submits.</summary>
internal static class ChaosSettings
{
    /// <summary>The user's settings with a name and a number of steps.</summary>
    /// <exception cref="RefusedException">No digests are logged, so nothing could be compared.</exception>
    public static string Of(ResolvedConfiguration resolved, string name, long steps)
    {
        if (resolved.Run.Impl.DigestEvery == 0)
        {
            throw new RefusedException("impl.digest_every=0: chaos compares digests of every step; leave it at 1.");
        }

        return Replace(RunSettings.Write(resolved, Environment.CurrentDirectory), new Dictionary<string, string>
        {
            ["name"] = name,
            ["train.budget.unit"] = "steps",
            ["train.budget.amount"] = steps.ToString(CultureInfo.InvariantCulture),
        });
    }

    /// <summary>Sets keys in lines of <c>key=value</c>.</summary>
    public static string Replace(string settings, IReadOnlyDictionary<string, string> values) => string.Join('\n', settings.Split('\n').Select(line =>
    {
        var key = line[..Math.Max(0, line.IndexOf('='))];
        return values.TryGetValue(key, out var value) ? $"{key}={value}" : line;
    }));
}
