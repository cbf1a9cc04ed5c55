using System.Globalization;
using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>Whole numbers among a command's own options.</summary>
internal static class NumberOption
{
    /// <summary>The value of an option.</summary>
    /// <exception cref="RefusedException">It is no whole number, or outside the limits.</exception>
    public static int Read(CommandContext context, string name, int usual, int least, int most)
    {
        if (context.Option(name) is not { } text)
        {
            return usual;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new RefusedException($"{name}={text}: expected a whole number from {least} to {most} (default {usual}).");
    }
}
