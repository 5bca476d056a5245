"""Generated names for new guests: "Quiet Heron".

Pure: the caller draws the numbers. The words are gentle: nothing that is sad, hunts, mocks, names a body or a belief,
or means something else on the street, because the person who is given the name did not choose it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

THIRD_WORD_FROM: Final = 3
"""From this attempt on a colour or a material is in the middle, and there are over two million names."""

_GENTLE: Final = """
affable airy alpine amiable ample artful balmy blithe bold bonny brave breezy bright calm candid careful caring clear
clever coastal cordial cosy crested curious dappled dawning decent deft dewy downy dreamy eager early earnest eastern
evening fabled faraway flowing folded genial gentle genuine gifted giving gliding glowing good hearty heedful helpful
homey honest hopeful humble humming inland keen kind lamplit leafy learned lilting lively loved loyal lucid lyrical
mellow melodic mild mindful misty modest moonlit morning mossy musical nearby neat nestled nimble noble open patient
pearly pebbly placid poetic polite proud quaint quick quiet ready relaxed restful resting rolling rosy savvy serene
sharing shining silvery sincere singing snug spotted starlit stately steady striped subtle summery sunlit swaying
swift tactful tender tidy true trusty tuneful upland valued velvety vibrant vivid warm welcome western wise witty
wooded worthy woven
"""
_COLOURS: Final = """
agate almond amber aqua azure bamboo basil berry blue bronze butter canvas chalk citrus clay cobalt cocoa copper coral
cotton cream denim dune ecru elm felt fennel flax floral foam garden garnet ginger golden grape green honey indigo
ivory jade jasper kelp lace lemon lime linen lunar mango marble maroon marsh mauve mint mosaic nectar nutmeg ocean
ochre onyx opal orange paper pastel peach pearl pecan petal pewter plaid plum pollen purple quartz reed rose ruby
russet sage sandy satin sepia sienna silken silver sky solar starry summer sunset tartan tawny teak thyme topaz tweed
twig umber velvet water wheat winter wooden
"""
_NATURE: Final = """
acorn alder alpaca anemone aspen aster avocet azalea badger barley bay begonia bilby birch blossom bluebell bracken
brook bunting buttercup camellia capybara catkin cedar cicada clematis cloud clover coast comet cosmos cowslip cricket
crocus curlew cygnet daffodil dahlia daisy dale deer delta dewdrop dolphin dormouse dove dunlin egret elk fawn fern
finch firefly fjord forest foxglove freesia fulmar gardenia gazelle gecko gentian geranium glade glen godwit goldcrest
goldfinch grove guillemot harbour harebell harvest haven hawthorn hazel heath hedgehog heron hibiscus hill hillside
horizon hyacinth hydrangea ibex ibis iris island jackdaw jasmine jay juniper kinglet kittiwake kiwi koala lagoon lake
lapwing larch lark laurel lavender leaf lemur lichen lilac lily linden linnet llama lotus lupin magnolia mallard maple
marigold marmot meadow moonbeam moorhen moorland moss mountain mulberry myrtle oak oasis okapi olive orchard orchid
oriole oryx otter panda parakeet pasture pebble pelican penguin peony petrel petunia phoebe pika pine pipit planet
plover pond poplar prairie primrose puffin quail quince quokka rainbow redstart redwing reindeer river robin rosebud
rosemary rowan sandpiper seal seashell shoreline siskin skylark snowdrop sorrel sparrow spruce squirrel starling
stream sunbeam sunflower sunrise swan sycamore tamarin tanager tansy teal tern thrush towhee trillium tulip turtle
valley verbena violet vireo warbler waxwing willow wisteria woodland woodlark wren yarrow zinnia
"""

GENTLE: Final = tuple(_GENTLE.split())
COLOURS: Final = tuple(_COLOURS.split())
NATURE: Final = tuple(_NATURE.split())


def pseudonym(draw: Callable[[int], int], attempt: int = 0) -> str:
    """Return a name for attempt 0, 1, 2, ... of finding one that nobody has; never longer than 24 characters.

    `draw(n)` returns a number from 0 to n - 1, each as likely as any other.
    """
    gentle, nature = GENTLE[draw(len(GENTLE))], NATURE[draw(len(NATURE))]
    if attempt < THIRD_WORD_FROM:
        return f"{gentle} {nature}".title()
    return f"{gentle} {COLOURS[draw(len(COLOURS))]} {nature}".title()
