using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Tokenization;

public class NormaliserTests
{
    private static readonly NormaliserSettings Crammed = new NormaliserSettings.Crammed();

    [Theory]
    [InlineData("é", "0065 0301")]
    [InlineData("\u1E69", "0073 0323 0307")] // s with dot below and above: two levels
    [InlineData("s\u0307\u0323", "0073 0323 0307")] // marks in canonical order
    [InlineData("a\u0301\u0300", "0061 0301 0300")] // equal class: order stays
    [InlineData("\u1E0B\u0323", "0064 0323 0307")] // reordering across a decomposition
    [InlineData("가각", "1100 1161 1100 1161 11A8")]
    [InlineData("\u0344", "0308 0301")]
    [InlineData("\u2126\u212B", "03A9 0041 030A")]
    [InlineData("\uF900", "8C48")]
    [InlineData("\uD834\uDD5E", "1D157 1D165")]
    [InlineData("ﬁ½", "FB01 00BD")] // compatibility only: stays
    public void Form_d_follows_the_unicode_standard(string text, string codePoints) => AssertDecomposed(text, codePoints);

    [Fact]
    public void A_broken_surrogate_pair_becomes_a_replacement_character()
    {
        // Attributes cannot carry one.
        AssertDecomposed("\uDC00x\uD800", "FFFD 0078 FFFD");
        Assert.Equal("n!", Normalise(Crammed, "n\uD800!"));
        Assert.Equal("n!", Normalise(new NormaliserSettings.Bert(), "n\uD800!"));
        Assert.Equal("n\uFFFD!", Normalise(new NormaliserSettings.Bert(CleanText: false), "n\uD800!"));
    }

    [Theory]
    [InlineData("``Quoted''", "\"quoted\"")]
    [InlineData("'''", "\"'")]
    [InlineData("Crème BRÛLÉE", "creme brulee")]
    [InlineData("a—b c\u00A0d", "ab cd")]
    [InlineData("ﬁn 中国 😀 !", "n   !")]
    [InlineData("\u2260 \u212A", "= k")]
    [InlineData("TAB\tX", "tab\tx")]
    public void Crammed_keeps_small_ascii(string text, string normalised) => Assert.Equal(normalised, Normalise(Crammed, text));

    [Fact]
    public void No_decomposition_outside_the_basic_plane_has_an_ascii_part()
    {
        for (var codePoint = 0x10000; codePoint <= 0x10FFFF; codePoint++)
        {
            Assert.DoesNotContain(CanonicalDecomposition.Of(codePoint) ?? "", char.IsAscii);
        }
    }

    [Theory]
    [InlineData(false, true, "École İ", "école i\u0307")]
    [InlineData(true, true, "École İ", "ecole i")]
    [InlineData(null, true, "École", "ecole")]
    [InlineData(null, false, "École", "École")]
    [InlineData(true, false, "École", "Ecole")]
    public void Bert_strips_accents_when_told_or_when_it_lowers(bool? strip, bool lower, string text, string normalised) =>
        Assert.Equal(normalised, Normalise(new NormaliserSettings.Bert(Lowercase: lower, StripAccents: strip), text));

    [Fact]
    public void Ascii_text_goes_the_same_way_alone_and_beside_other_text()
    {
        var ascii = string.Concat(Enumerable.Range(0, 128).Select(c => (char)c));
        foreach (var clean in (bool[])[true, false])
        {
            foreach (var lower in (bool[])[true, false])
            {
                var bert = new NormaliserSettings.Bert(CleanText: clean, Lowercase: lower);
                Assert.Equal(Normalise(bert, ascii) + "ω", Normalise(bert, ascii + "ω"));
            }
        }
    }

    [Fact]
    public void Long_texts_are_cut_into_pieces_without_cutting_words()
    {
        var tokenizer = Tokens.Of(TokenizerSettings.Crammed with { MaxWordCharacters = 5000 }, "a", "##a", "##\"");
        Assert.Equal(3000, tokenizer.Ids(new string('a', 3000)).Count);
        var words = string.Concat(Enumerable.Repeat("aÁa ", 2000));
        Assert.Equal(6000, tokenizer.Ids(words).Count);
        Assert.DoesNotContain(tokenizer.Special.Unknown, tokenizer.Ids(words));
    }

    private static void AssertDecomposed(string text, string codePoints)
    {
        var buffer = new CharBuffer(stackalloc char[2]);
        CanonicalDecomposition.Append(text, ref buffer);
        Assert.Equal(codePoints, string.Join(' ', buffer.Span.ToString().EnumerateRunes().Select(rune => rune.Value.ToString("X4"))));
        buffer.Dispose();
    }

    private static string Normalise(NormaliserSettings settings, string text)
    {
        var output = new CharBuffer(stackalloc char[4]);
        var scratch = new CharBuffer(stackalloc char[4]);
        TextNormaliser.Append(settings, text, ref output, ref scratch);
        var result = output.Span.ToString();
        output.Dispose();
        scratch.Dispose();
        return result;
    }
}
