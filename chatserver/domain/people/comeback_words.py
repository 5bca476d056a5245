"""The words of come-back codes: 1,024 gentle, common English words, in alphabetical order.

Ten bits each. No two share their first four letters or are one keystroke apart, so that four letters identify a word.
People keep codes on paper: a word may never leave this list.
"""

from __future__ import annotations

from typing import Final

_LIST: Final = """
abacus academy acorn acrobat airmail airship album alcove almond alpaca alphabet alpine alto always amaze amber anchor
angle animal anise anthem antique antler apple apricot apron aqua arbor arcade arch arena armchair aroma arrive artist
artwork ashore aspen assist atlas attic autumn avenue avocado award away awning azure backpack badger bagel bakery
baking balance balloon balsam bamboo bandana banjo banner banquet barley barn basil basket bassoon baton beach beagle
beanbag become bedtime beehive beeswax begin begonia beige belong berry beside beyond bicycle birch birdbath biscuit
blanket blazer blend blink blossom bluebird board boat bobbin bold bonfire bonus bookmark boost border botany bouquet
brass brave bread breezy bright broccoli bronze brook browse brunch brush bubble bucket budget buffet bugle builder
bundle bungalow bunny buoyant burrow butter cabbage cabin caddy calendar calm camel camping canary candle canoe canvas
caramel cardigan carefree cargo caring carnival carousel carpet cascade cashew castle catalog cedar celery cello
ceramic cereal chalk chance chapter chart cheese cherish chestnut chimney chirp choice chuckle chutney cinnamon circle
citrus city clarinet classic clay climb clock cloth cloud clover cluster coaster cobalt cobble cocoa comfort comic
compass concert connect cookie copper copy coral corduroy corner cosmos cottage couch country couplet courage craft
crayon cream creek cricket crimson crisp crocus crumble cube cupboard cupcake curious curl curtain cushion cycling
cygnet daffodil dainty daisy dance dappled dawn daybreak daydream daylight dazzle decorate deer delicate delta denim
desert design desk devote dewdrop diamond diary dinner dolphin dome domino doormat dormouse dotted dough downhill
drawing duckling duet dwelling eager early earnest easel easy echo eggcup elated electric elegant elephant eleven elk
emblem embrace emerald empathy enamel enchant encore energy engine enjoy ensemble entrance envelope episode evening
expand explore express fable fabric fairy fancy fanfare farmer fashion fathom feather fennel fern festival fiddle
field fiesta film finch fireside five flamingo flannel flapjack fleece floaty floral flower flute foam focus folder
foliage folk forest fortune forum fossil foxglove fragrant freckle fresh friendly fringe frolic frond fruity fudge
full funfair future fuzzy galaxy gallery garden garland gate gather gazebo generous genie gentle genuine gift giggle
ginger giraffe glad glance gleam gleeful glider glimmer glint glitter globe glossy glow goblet goldfish gondola good
gracious grain granola grape grateful gravity green grocer guest guide guitar hammock hamster happy harbour hardy
harmony harvest hat haven hawthorn hayloft haystack hazelnut headland hearth hedge heirloom helmet helpful herb heron
hickory highland hiking hill holiday homely honey hoop hopeful horizon house hover huddle humming icon ideal igloo
image indigo indoor inlet insight inspire invite iris island ivory ivy jacket jam jamboree jasmine jelly jersey jigsaw
jingle jog join journey jovial joyful jubilee juggling jukebox jumpsuit juniper kangaroo kayak kazoo keen keepsake
kelp ketchup kettle keyboard keyring kimono kindly kiosk kitchen kite kiwi koala label ladle ladybird lagoon lake lamp
language lantern laundry laurel lavender layer leader leaflet leapfrog learn legacy leisure lemon length lens lettuce
level liberty library lichen light lilac lily lime linden liquid listen llama loaf lobby local lodge lollipop loom
lotus lounge lovely lullaby lumber lunar lunchbox lyric macaroni magazine magenta magnolia magpie mailbag mallard
mammoth manatee mango maraca marble margin marigold market maroon marvel mauve maypole meadow meerkat melody memento
memory merit message metal method metro midday midnight mild mindful mineral mint mitten mocha modest mohair month
moon moose morning morsel mosaic moss motif mountain muesli mug mural museum music mustard myrtle napkin napping
nature nectar neon nest nice nifty nimble noble noodle north notebook novel nurture nutmeg oak oasis oatcake oatmeal
oboe observe ocean octagon octopus offer okra omelette onion opal open opera orange orbit orchid oregano origami
oriole ornament osprey ostrich otter outdoors outfit outing outline overcoat owl ozone pacific paddock page painter
palace pancake panda panel panorama pantry paper parasol parcel parkland parrot parsley passport pasture patch patio
pattern pause pavement paw peaceful pear pebble pecan pedal pelican pencil penguin peony pepper perfume perky petals
phrase piano piccolo pickle picnic picture pigeon piglet pillow pinafore pine pinwheel pivot pixie pizza placid planet
playful plaza pleasant plenty plucky plume pocket poem poise polite polka pollen pompom poncho pond popcorn poplar
porch porridge portrait postcard pottery prairie precious present primrose print prism promise proud pudding puffin
pullover pumpkin puppy purple purr puzzle pyramid quaint quartet quiet quill quince rabbit raccoon radio rainbow
raisin rambler ranch real recipe recorder redwood reef reflect refresh refuge regatta reindeer rejoice relax relish
remind renew repair resort respect restful return review reward ribbon ridge ripple river robin robust roller rooster
root rosemary rowan rowboat rowing royal ruby ruffle ruler rustic saddle safari safe saffron sailboat salad samba
sandal sapling satin saunter savory scallop scamper scarlet scenery scone scooter scribble scroll sea seafront seagull
seaside seaweed seedling seek seesaw sequoia serenade sesame shampoo shape sheep shell shimmer shine shoebox shortcut
show shrub signal silk silver simple sincere singing sketch skill sky skylark sled sleeve sleigh slipper smock snack
snail snooze snuggle soda solar solo sonata song sonnet soothe sorbet soup souvenir space spaniel sparrow spectrum
sphere spinach spiral splendid sponge spoon sport spring sprout spruce square squirrel star stereo sticker story stove
street stripe strong strudel studio sturdy style sugar suitcase summer sun sunbeam sundial sunhat sunlight sunrise
sunset supper surprise swan sweater sweet swift swing sycamore symphony taco tailor talent tangy tapestry tartan
tassel teacake tealight team teapot teatime tennis tent terrace texture thankful theatre thermos thicket thimble
thought thread thrive thrush thyme tidy tile timber tinsel tiptoe toast toffee together toggle token tomato tomorrow
toolbox topaz tortoise toucan tour town towpath tractor trail travel treasure treetop trellis triangle tricycle trifle
trio trombone tropical trowel true trumpet trundle trust tulip turnip turret turtle tweed twig twilight twinkle twirl
twist ukulele umbrella unfold unicycle unique unison unwind upbeat upland uplift upright uptown useful valiant valley
vanilla varnish veggie velvet venture veranda verbena verdant verse vibrant victory view village vineyard violin
visitor vista vole vowel voyage waffle wagon wagtail walk wallaby walnut waltz wardrobe warm water wave wayside weaver
weekend welcome wellies wheat wheel whim whistle wide wildlife window wink winter wisdom wish wisteria witty wonder
woollen workshop world woven wrap wren yard yearbook yellow yes yoga youth zebra zesty zipper
"""

WORDS: Final[tuple[str, ...]] = tuple(_LIST.split())
