using System.Globalization;
using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Views;

/// <summary>Numbers as people read them.</summary>
internal static class Format
{
    /// <summary>1234567 → 1.23 M.</summary>
    public static string Count(double value) => value switch
    {
        >= 1e12 => $"{value / 1e12:0.00} T",
        >= 1e9 => $"{value / 1e9:0.00} G",
        >= 1e6 => $"{value / 1e6:0.00} M",
        >= 1e4 => $"{value / 1e3:0.0} k",
        _ => $"{value:0}",
    };

    /// <summary>h:mm:ss, days in front where there are some.</summary>
    public static string Duration(TimeSpan time) => time.TotalDays >= 1
        ? $"{(long)time.TotalDays} d {time.Hours}:{time.Minutes:00}:{time.Seconds:00}"
        : $"{time.Hours}:{time.Minutes:00}:{time.Seconds:00}";

    public static string Duration(TimeSpan? time) => time is { } t ? Duration(t) : "–:––:––";

    /// <summary>0.1234 → 12.3 %.</summary>
    public static string Percent(double? share) => share is { } s ? $"{100 * s:0.0} %" : "–";

    /// <summary>The loss of a step, or that it is encrypted.</summary>
    public static string Loss(StepMetrics step) => Known(step, step.Loss, "0.000");

    /// <summary>The gradient norm of a step, or that it is encrypted.</summary>
    public static string GradientNorm(StepMetrics step) => Known(step, step.GradientNorm, "0.00");

    /// <remarks>A step whose loss or norm is really no number is skipped.</remarks>
    private static string Known(StepMetrics step, double value, string format) =>
        double.IsNaN(value) && !step.Skipped ? "encrypted" : value.ToString(format, CultureInfo.CurrentCulture);
}
