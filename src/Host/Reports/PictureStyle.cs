using ScottPlot;
using SkiaSharp;

namespace ActorTrainer.Host.Reports;

/// <summary>What all pictures have in common: font, colours, frame, legend.</summary>
internal static class PictureStyle
{
    /// <summary>The first of these that the machine has; without one the plot library's own choice.</summary>
    private static readonly string[] SansSerif =
        ["Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", "Open Sans", "Liberation Sans", "Arial", "DejaVu Sans"];

    /// <summary>Of text and axes.</summary>
    public static Color Ink { get; } = Color.FromHex("#2b2f36");

    /// <summary>Colours that are told apart.</summary>
    public static IReadOnlyList<Color> Palette { get; } =
    [
        .. new[] { "#1f77b4", "#d1495b", "#2a9d8f", "#edae49", "#7b5ea7", "#66a182", "#8d6e63", "#90a4ae", "#e07a5f", "#3d5a80", "#b56576", "#6d6875" }.Select(hex => Color.FromHex(hex)),
    ];

    /// <summary>Gives a plot its title, font and frame.</summary>
    public static void Apply(Plot plot, string title, float titleSize, float tickSize, float legendSize)
    {
        if (SansSerif.FirstOrDefault(SKFontManager.Default.FontFamilies.Contains) is { } font)
        {
            plot.Font.Set(font);
        }

        plot.Title(title, titleSize);
        plot.FigureBackground.Color = Colors.White;
        plot.Axes.Color(Ink);
        plot.Axes.Bottom.TickLabelStyle.FontSize = tickSize;
        plot.Axes.Left.TickLabelStyle.FontSize = tickSize;
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Grid.MajorLineColor = Ink.WithAlpha(0.1);
        plot.Legend.FontSize = legendSize;
        plot.Legend.OutlineColor = Ink.WithAlpha(0.15);
        plot.Legend.ShadowColor = Colors.Transparent;
    }
}
